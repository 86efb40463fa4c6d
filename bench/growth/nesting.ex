defmodule Bench.Growth.Nesting do
  @moduledoc false
  # A function that makes the NIF call that calls it again, and so on.

  @behaviour Bench.Part

  alias Bench.{Callback, Growth}

  @impl true
  def title, do: "time per NIF call that makes one callback, by how deep they are nested"

  @impl true
  def setting, do: Growth.setting("nested NIF calls")

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    for {name, about, once} <- [
          {"direct", "fun.(x) in Elixir", & &1.(&2)},
          {"frame_once", "a NIF call on a fiber", &Callback.Frame.Native.once/2},
          {"task_once", "a NIF call in a coroutine", &Callback.Task.Native.once/2}
        ],
        depth <- Growth.powers(1000) do
      times = max(div(1000, depth), 1)

      Growth.contender(name, about, depth, depth * times,
        run: fn _ -> Enum.reduce(1..times, 0, fn _, sum -> sum + descend(once, depth) end) end,
        expected: depth * times
      )
    end
  end

  defp descend(_, 0), do: 0
  defp descend(once, depth), do: 1 + once.(&descend(once, &1), depth - 1)
end
