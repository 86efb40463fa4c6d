defmodule Bench.Main do
  @moduledoc false

  alias Bench.{Chart, Harness, Machine, Part, Report, Statistics}

  @questions [
    {"classic", [Bench.Classic]},
    {"callback", [Bench.Callback]},
    {"blocking", [Bench.Blocking]},
    {"runtimes", [Bench.Runtimes]},
    {"growth",
     [
       Bench.Growth.Callbacks,
       Bench.Growth.Closure,
       Bench.Growth.Processes,
       Bench.Growth.Suspended,
       Bench.Growth.Memory,
       Bench.Growth.Threads,
       Bench.Growth.Payload,
       Bench.Growth.Nesting
     ]},
    {"errors", [Bench.Errors]},
    {"floor", [Bench.Floor]},
    {"build", [Bench.Build.Time, Bench.Build.Memory, Bench.Build.Size]}
  ]

  @type question :: {name :: String.t(), [part :: module()]}
  @typep answer :: %{rows: [Report.object()], ratios: [Report.object()]}

  @doc """
  Returns the question `only`, or all of `make bench` where it is empty.
  """
  @spec questions(String.t()) :: [question()]
  def questions(""), do: @questions

  def questions(only) do
    case List.keyfind(@questions, only, 0) do
      nil ->
        known = Enum.map_join(@questions, ", ", &elem(&1, 0))
        IO.puts(:stderr, "ONLY=#{only}: there is no such question; there is: #{known}")
        exit({:shutdown, 1})

      question ->
        [question]
    end
  end

  @doc """
  Answers questions: prints tables and returns what was measured.
  """
  @spec run([question()]) :: [answer()]
  def run(questions) do
    IO.write(Report.heading(Machine.machine(), Machine.versions()))
    for {name, parts} <- questions, part <- parts, do: answer(name, part)
  end

  @doc """
  Writes what was measured as JSON, and draws it.
  """
  @spec write([answer()], Path.t(), Path.t()) :: :ok
  def write(answers, path, charts) do
    rows = Enum.flat_map(answers, & &1.rows)

    results = [
      # Each row has the flags that it was measured with.
      machine: Keyword.delete(Machine.machine(), :flags),
      versions: Machine.versions(),
      rows: rows,
      ratios: Enum.flat_map(answers, & &1.ratios)
    ]

    File.write!(path, [Report.json(results), ?\n])
    drawn = Chart.draw(rows, Machine.line(), charts)
    for path <- [path | drawn], do: IO.puts("written: #{Path.relative_to_cwd(path)}")
    :ok
  end

  defp answer(name, part) do
    setting = Part.setting(part)
    contenders = part.contenders()

    if contenders == [],
      do: %{rows: [], ratios: []},
      else: answer(name, part, setting, contenders)
  end

  defp answer(name, part, setting, contenders) do
    {statistics, ratios} = measure(name, part, setting, contenders)
    rows = Report.rows(name, part.title(), setting, contenders, statistics)

    IO.write(["\n#{name}: #{part.title()}\n\n", Part.table(part, contenders, rows)])
    IO.write(Report.ratio_table(ratios))
    %{rows: rows, ratios: ratios}
  end

  defp measure(name, part, setting, contenders) do
    if setting.benchee and Code.ensure_loaded?(Benchee) do
      {Bench.WithBenchee.statistics(contenders), []}
    else
      repetitions = Harness.measure(contenders, setting, &progress(part.title(), &1, &2))
      keys = Enum.map(contenders, &{&1.name, &1.input})
      statistics = for key <- keys, do: Statistics.of(Enum.map(repetitions, & &1[key]))
      {statistics, Report.ratios(name, Part.ratios(part), repetitions)}
    end
  end

  # One line that is written over, where a person watches.
  defp progress(title, repetition, repetitions) do
    with {:ok, columns} <- :io.columns(:standard_error) do
      doing = if repetition == 0, do: "calibrating", else: "#{repetition} of #{repetitions}"
      line = "#{title}: #{doing}"
      shown = if repetition == repetitions, do: "", else: String.slice(line, 0, columns - 1)
      IO.write(:stderr, [?\r, String.pad_trailing(shown, columns - 1), ?\r])
    end
  end
end
