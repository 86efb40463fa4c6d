defmodule Bench.Chart do
  @moduledoc false
  # Draws rows as SVG files, by gnuplot. Both axes are logarithmic: prices differ by a factor of a
  # hundred thousand, and what grows does by ten million.

  alias Bench.Report

  # Okabe and Ito's colours, which differ for the colour-blind too.
  @colours ~w(#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000)

  @doc """
  Draws what there are rows for, and returns the paths; the empty list where gnuplot is missing.
  """
  @spec draw([Report.object()], String.t(), Path.t()) :: [Path.t()]
  def draw(rows, machine, folder) do
    rows = Enum.filter(rows, &(&1[:flags] == hd(rows)[:flags]))
    growths = rows |> Enum.filter(& &1[:axis]) |> Enum.group_by(&{&1[:axis], &1[:unit]})
    ways = Bench.Chart.Ways.script(rows)

    scripts =
      for({key, rows} <- growths, do: {slug(key), Bench.Chart.Growth.script(rows)}) ++
        if(ways, do: [{"ways", ways}], else: [])

    case System.find_executable("gnuplot") do
      nil ->
        IO.puts("no charts: gnuplot was not found; apt-get install gnuplot-nox")
        []

      gnuplot ->
        File.mkdir_p!(folder)
        Enum.map(scripts, fn {name, script} -> run(gnuplot, script, machine, folder, name) end)
    end
  end

  @doc """
  Returns the colour of the nth series, from 0.
  """
  @spec colour(non_neg_integer()) :: String.t()
  def colour(n), do: Enum.at(@colours, rem(n, length(@colours)))

  @doc """
  Returns tics at the numbers, named in the unit.
  """
  @spec tics([non_neg_integer()], String.t()) :: iodata()
  def tics(numbers, unit) do
    # An axis of powers has no place for 0: it stands where 1 would.
    tics = for number <- numbers, do: [?", name(number, unit), ~s(" ), "#{max(number, 1)}"]
    [?(, Enum.intersperse(tics, ", "), ?)]
  end

  @doc """
  Returns tics at the powers of ten, named in the unit.
  """
  @spec tics(String.t()) :: iodata()
  def tics(unit), do: tics(for(exponent <- 0..11, do: Integer.pow(10, exponent)), unit)

  defp name(number, "ns"), do: name(number, 1000, ["ns", "μs", "ms", "s"])
  defp name(number, "bytes") when rem(number, 1000) == 0, do: name(number, 1000, ~w(B kB MB GB))
  defp name(number, "bytes"), do: name(number, 1024, ~w(B KiB MiB GiB))
  defp name(number, "") when number < 1_000_000, do: thousands(number)
  defp name(number, ""), do: name(number, 1000, ["", "", "million"])

  defp name(number, base, [_, _ | _] = [_ | units]) when number >= base,
    do: name(div(number, base), base, units)

  defp name(number, _, [unit | _]), do: "#{number} #{unit}"

  defp thousands(number) when number < 1000, do: "#{number}"
  defp thousands(number), do: "#{div(number, 1000)},000"

  @doc """
  Returns a text in quotes, in which gnuplot reads nothing but text.
  """
  @spec text(String.t()) :: iodata()
  def text(text), do: [?', String.replace(text, "'", "''"), ?']

  defp slug({axis, "ns"}), do: axis |> String.downcase() |> String.replace(" ", "_")
  defp slug({axis, unit}), do: slug({axis <> " " <> unit, "ns"})

  defp run(gnuplot, script, machine, folder, name) do
    svg = Path.join(folder, name <> ".svg")
    input = Path.join(folder, name <> ".gnuplot")

    File.write!(input, [
      "set terminal svg size 900,560 font 'sans-serif,14' background rgb 'white' noenhanced\n",
      ["set output ", text(svg), ?\n],
      ["set label 1 ", text(machine), " at screen 0.99,0.02 right font ',10' tc rgb '#666666'\n"],
      "set border 3 lc rgb '#666666'\nset tics nomirror\n",
      "set grid lc rgb '#dddddd' lt 1\n",
      script
    ])

    {printed, status} = System.cmd(gnuplot, [input], stderr_to_stdout: true)
    if status != 0, do: raise("gnuplot #{input} exited with #{status}: #{printed}")
    svg
  end
end
