defmodule Bench.Chart.Growth do
  @moduledoc false
  # A line for each contender, against what grows.

  alias Bench.{Chart, Report}

  @spec script([Report.object()]) :: iodata()
  def script(rows) do
    [%{axis: axis, unit: unit, title: title} | _] = maps = Enum.map(rows, &Map.new/1)
    series = maps |> Enum.map(& &1.contender) |> Enum.uniq() |> Enum.with_index()
    bytes? = String.starts_with?(axis, "bytes")

    [
      ["set title ", Chart.text(title), ?\n],
      ["set xlabel ", Chart.text(axis), ?\n],
      "set logscale xy 10\nset bmargin at screen 0.34\n",
      "set key at screen 0.1,0.2 left top Left reverse vertical samplen 2\n",
      ["set xtics ", Chart.tics(numbers(maps), if(bytes?, do: "bytes", else: "")), ?\n],
      ["set ytics ", Chart.tics(unit), ?\n],
      ["set yrange ", range(maps), "\nset offsets graph 0.02, graph 0.02, 0, 0\n"],
      for({name, n} <- series, do: data(n, Enum.filter(maps, &(&1.contender == name)))),
      ["plot ", Enum.map_intersperse(series, ", ", &line(&1, maps)), ?\n]
    ]
  end

  defp numbers(rows), do: rows |> Enum.map(&String.to_integer(&1.input)) |> Enum.uniq()

  defp data(n, rows) do
    points = for row <- rows, do: "#{max(String.to_integer(row.input), 1)} #{row.median}\n"

    ["$series#{n} << end_of_data\n", points, "end_of_data\n"]
  end

  defp line({name, n}, rows) do
    %{about: about} = Enum.find(rows, &(&1.contender == name))

    [
      "$series#{n} using 1:2 with linespoints lw 2 pt 7 ps 0.6 lc rgb '#{Chart.colour(n)}' title ",
      Chart.text("#{name}: #{about}")
    ]
  end

  defp range(rows) do
    {least, most} = rows |> Enum.map(& &1.median) |> Enum.min_max()
    # A little more, or rounding takes the tics at the ends away.
    "[0.99e#{floor(:math.log10(least))}:1.01e#{ceil(:math.log10(most))}]"
  end
end
