defmodule Bench.Growth.Callbacks do
  @moduledoc false
  @behaviour Bench.Part

  alias Bench.{Blocking, Callback, Growth}

  # One call is too short for the clock: there are as many NIF calls as this takes.
  @calls 1000

  @impl true
  def title, do: "time per callback, by how many one NIF call makes"

  @impl true
  def setting, do: Growth.setting("callbacks in one NIF call")

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    for {name, about, many, most} <- [
          {"direct", "fun.(x) in Elixir", &Callback.InElixir.direct/2, 10_000_000},
          {"frame", "f(x) on a fiber", &Callback.Frame.Native.many/2, 10_000_000},
          {"task", "f(x) in a coroutine", &Callback.Task.Native.many/2, 10_000_000},
          {"pinned", "f(x) in a pinned NIF", &Blocking.Pinned.Native.many/2, 10_000}
        ],
        number <- Growth.powers(most) do
      times = max(div(@calls, number), 1)

      Growth.contender(name, about, number, number * times,
        prepare: &Callback.square/0,
        run: &repeat(many, &1, number, times, 0),
        expected: times * Callback.expected_sum(number)
      )
    end
  end

  defp repeat(_, _, _, 0, sum), do: sum

  defp repeat(many, fun, number, times, sum),
    do: repeat(many, fun, number, times - 1, sum + many.(fun, number))
end
