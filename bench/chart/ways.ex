defmodule Bench.Chart.Ways do
  @moduledoc false
  # A bar for each way to call a function, and for each of other runtimes.

  alias Bench.{Chart, Report}

  # In this order. Several questions measure some of them; the first that has a row gives the bar.
  @ways [
    {"apply", "apply in Elixir"},
    {"nif", "a NIF call, no callback"},
    {"frame", "Upcall, on a fiber"},
    {"task", "Upcall, in a coroutine"},
    {"lua", "Lua, lua_pcall"},
    {"cpython", "CPython, C API"},
    {"node_api", "Node.js, Node-API"},
    {"jni", "JVM, JNI"},
    {"pinned", "Upcall, pinned"},
    {"pool", "Upcall, through a pool"},
    {"server", "Upcall, through a server"},
    {"common", "by hand, through a process"}
  ]
  @questions ~w(runtimes callback blocking)

  @doc """
  Returns the script, or `nil` where too little was measured.
  """
  @spec script([Report.object()]) :: iodata() | nil
  def script(rows) do
    bars = for {way, label} <- @ways, bar = find(rows, way), do: Map.new([{:label, label} | bar])
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
    most = bars |> Enum.map(fn {bar, _} -> bar.median end) |> Enum.max()

    [
      "set title 'Time per call of x -> x * x, among many that native code makes'\n",
      "set logscale x 10\nunset key\nset border 1\nset grid noytics\nset style fill solid\n",
      "set lmargin at screen 0.25\nset rmargin at screen 0.97\nset bmargin at screen 0.14\n",
      ["set xrange [1:#{most * 5}]\nset yrange [0.4:#{count}.6]\n"],
      ["set xtics ", Chart.tics("ns"), ?\n],
      ["set ytics scale 0 (", Enum.map_intersperse(bars, ", ", &tic/1), ")\n"],
      ["$bars << end_of_data\n", Enum.map(bars, &data/1), "end_of_data\n"],
      "plot $bars using 2:1:(1):2:($1-0.35):($1+0.35):3 with boxxyerror lc rgb variable, ",
      "$bars using ($2*1.15):1:4 with labels left\n"
    ]
  end

  defp tic({bar, place}), do: [Chart.text(bar.label), " #{place}"]

  defp data({bar, place}),
    do: ~s(#{place} #{bar.median} #{colour(bar.label)} "#{price(bar.median)}"\n)

  defp colour("Upcall" <> _), do: 0x0072B2
  defp colour(_), do: 0x999999

  defp price(ns) when ns >= 1000, do: "#{:erlang.float_to_binary(ns / 1000, decimals: 1)} μs"
  defp price(ns), do: "#{round(ns)} ns"
end
