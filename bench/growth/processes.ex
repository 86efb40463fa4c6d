defmodule Bench.Growth.Processes do
  @moduledoc false
  # Wall-clock time by calls, so that two schedulers can halve it.

  @behaviour Bench.Part

  alias Bench.{Blocking, Callback, Growth}

  @impl true
  def title, do: "wall-clock time per callback, by how many processes call at once"

  @impl true
  def setting, do: Growth.setting("processes calling at once")

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    {:ok, _} = GenServer.start_link(Blocking.Common.Server, nil, name: __MODULE__)

    for {name, about, many, total, most} <- [
          {"frame", "f(x) on a fiber", &Callback.Frame.Native.many/2, 100_000, 10_000},
          {"task", "f(x) in a coroutine", &Callback.Task.Native.many/2, 100_000, 10_000},
          {"pinned", "f(x) in a pinned NIF", &Blocking.Pinned.Native.many/2, 10_000, 1000},
          {"common_once", "by hand, in a dirty NIF", &common_once/2, 1000, 10_000}
        ],
        processes <- Growth.powers(most) do
      each = max(div(total, processes), 1)

      Growth.contender(name, about, processes, processes * each,
        prepare: fn -> for _ <- 1..processes, do: spawn_link(fn -> caller(many, each) end) end,
        run: &call_all/1,
        expected: processes * Callback.expected_sum(each),
        finish: &Enum.each(&1, fn pid -> send(pid, :stop) end)
      )
    end
  end

  defp caller(many, each) do
    receive do
      {:go, from} ->
        send(from, {:sum, many.(Callback.square(), each)})
        caller(many, each)

      :stop ->
        :ok
    end
  end

  defp call_all(processes) do
    Enum.each(processes, &send(&1, {:go, self()}))
    Enum.reduce(processes, 0, fn _, sum -> sum + Blocking.await_sum() end)
  end

  defp common_once(fun, count) do
    Enum.reduce(0..(count - 1), 0, fn i, sum ->
      rem(sum + Blocking.Common.Native.once(__MODULE__, fun, rem(i, 1024)), 1009)
    end)
  end
end
