defmodule Bench.Classic.Table do
  @moduledoc false
  # The form of Benchee's console: a table for each input, the fastest first, and a comparison.

  alias Bench.{Contender, Report}

  @spec table([Contender.t()], [Report.object()]) :: iodata()
  def table(contenders, rows) do
    inputs = rows |> Enum.map(& &1[:input]) |> Enum.uniq()

    [
      for(input <- inputs, do: for_input(input, Enum.filter(rows, &(&1[:input] == input)))),
      Report.legend(contenders)
    ]
  end

  defp for_input(input, rows) do
    [fastest | others] = sorted = Enum.sort_by(rows, & &1[:mean])

    [
      "##### With input #{input} #####\n",
      line(["Name", "ips", "average", "deviation", "median", "99th %"]),
      for(row <- sorted, do: line(row_cells(row))),
      "\nComparison:\n",
      line([fastest[:contender], per_second(fastest[:mean])]),
      for(row <- others, do: line(comparison_cells(row, fastest))),
      ?\n
    ]
  end

  defp row_cells(row) do
    [
      row[:contender],
      per_second(row[:mean]),
      time(row[:mean]),
      "±#{fixed(100 * row[:deviation] / row[:mean])}%",
      time(row[:median]),
      time(row[:p99])
    ]
  end

  defp comparison_cells(row, fastest) do
    times = "#{fixed(row[:mean] / fastest[:mean])}x slower"
    [row[:contender], per_second(row[:mean]), times, "+#{time(row[:mean] - fastest[:mean])}"]
  end

  defp per_second(ns),
    do: scaled(1.0e9 / ns, [{1.0e9, " G"}, {1.0e6, " M"}, {1.0e3, " K"}, {1, ""}])

  defp time(ns), do: scaled(ns, [{1.0e9, " s"}, {1.0e6, " ms"}, {1.0e3, " μs"}, {1, " ns"}])

  defp scaled(value, units) do
    {divisor, unit} = Enum.find(units, List.last(units), fn {divisor, _} -> value >= divisor end)
    fixed(value / divisor) <> unit
  end

  defp fixed(value), do: :erlang.float_to_binary(value / 1, decimals: 2)

  defp line([name | values]) do
    [String.pad_trailing(name, 12), Enum.map(values, &String.pad_leading(&1, 17)), ?\n]
  end
end
