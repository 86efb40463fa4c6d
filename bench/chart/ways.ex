defmodule Bench.Chart.Ways do
  @moduledoc false
  # A bar for each way to call a function, and for each of other runtimes.

  alias Bench.{Chart, Report}

  # In this order. Several questions measure some of them; the first that has a row gives the bar.
  @ways ~w(apply nif frame task lua cpython jni node_api pinned pool server common)
  @questions ~w(runtimes callback blocking)

  @doc """
  Returns the script, or `nil` where too little was measured.
  """
  @spec script([Report.object()]) :: iodata() | nil
  def script(rows) do
    bars = for way <- @ways, bar = find(rows, way), do: bar
    if length(bars) > 4, do: script_of(bars)
  end

  defp find(rows, way) do
    Enum.find_value(@questions, fn question ->
      rows
      |> Enum.filter(&(&1[:question] == question and &1[:contender] == way))
      |> Enum.max_by(&String.to_integer(&1[:input]), fn -> nil end)
    end)
  end

  defp script_of(bars) do
    count = length(bars)
    bars = Enum.with_index(bars, fn bar, index -> {bar, count - index} end)
    most = bars |> Enum.map(fn {bar, _} -> bar[:median] end) |> Enum.max()

    [
      "set title 'What one call of a function costs, among many from one native call'\n",
      "set logscale x 10\nunset key\nset border 1\nset grid noytics\nset style fill solid\n",
      ["set xrange [1:1e#{ceil(:math.log10(most)) + 1}]\nset yrange [0.4:#{count}.6]\n"],
      ["set xtics ", Chart.tics("ns"), ?\n],
      ["set ytics scale 0 (", Enum.map_intersperse(bars, ", ", &tic/1), ")\n"],
      ["$bars << end_of_data\n", Enum.map(bars, &data/1), "end_of_data\n"],
      "plot $bars using 2:1:(1):2:($1-0.35):($1+0.35):3 with boxxyerror lc rgb variable, ",
      "$bars using ($2*1.15):1:4 with labels left\n"
    ]
  end

  defp tic({bar, place}), do: [Chart.text("#{bar[:contender]}: #{bar[:about]}"), " #{place}"]

  defp data({bar, place}),
    do: ~s(#{place} #{bar[:median]} #{colour(bar)} "#{label(bar[:median])}"\n)

  defp colour(bar) do
    if bar[:contender] in ~w(frame task pinned pool server), do: 0x0072B2, else: 0x999999
  end

  defp label(ns) when ns >= 1000, do: "#{:erlang.float_to_binary(ns / 1000, decimals: 1)} μs"
  defp label(ns), do: "#{round(ns)} ns"
end
