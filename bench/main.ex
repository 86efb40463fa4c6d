defmodule Bench.Main do
  @moduledoc false

  alias Bench.{Harness, Machine, Report}

  @questions [{"callback", Bench.Callback}, {"blocking", Bench.Blocking}]

  @doc """
  Answers the question `only`, or all where it is empty: prints tables and writes `results_path`.
  """
  @spec run(String.t(), Path.t()) :: :ok
  def run(only, results_path) do
    questions = choose(only)
    {machine, versions} = {Machine.machine(), Machine.versions()}
    IO.write(Report.heading(machine, versions))

    answers = Enum.map(questions, &answer/1)
    rows = Enum.flat_map(answers, &elem(&1, 0))
    ratios = Enum.flat_map(answers, &elem(&1, 1))

    results = [machine: machine, versions: versions, rows: rows, ratios: ratios]
    File.write!(results_path, [Report.json(results), ?\n])
    IO.puts("\nwritten to #{Path.relative_to_cwd(results_path)}")
  end

  defp answer({name, question}) do
    contenders = question.contenders()
    repetitions = Harness.measure(contenders, &progress(name, &1, &2))
    rows = Report.rows(name, contenders, repetitions)
    ratios = Report.ratios(name, question.ratios(), repetitions)

    IO.write(Report.table("#{name}: #{question.title()}", rows, ratios))
    {rows, ratios}
  end

  defp choose(""), do: @questions

  defp choose(only) do
    case List.keyfind(@questions, only, 0) do
      nil ->
        known = Enum.map_join(@questions, ", ", &elem(&1, 0))
        IO.puts(:stderr, "ONLY=#{only}: there is no such question; there is: #{known}")
        exit({:shutdown, 1})

      question ->
        [question]
    end
  end

  # One line that is written over, where a person watches.
  defp progress(name, repetition, repetitions) do
    if match?({:ok, _}, :io.columns(:standard_error)) do
      line = "#{name}: repetition #{repetition} of #{repetitions}"

      ending =
        if repetition == repetitions, do: "\r" <> String.duplicate(" ", 60) <> "\r", else: ""

      IO.write(:stderr, ["\r", line, ending])
    end
  end
end
