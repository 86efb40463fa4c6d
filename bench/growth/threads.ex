defmodule Bench.Growth.Threads do
  @moduledoc false
  # Wall-clock time by calls: what one thread waits for is another's turn.

  @behaviour Bench.Part

  alias Bench.{Blocking, Callback, Growth}

  @calls 3200

  @impl true
  def title, do: "wall-clock time per call through an executor, by how many threads call at once"

  @impl true
  def setting, do: Growth.setting("native threads calling at once")

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__.Server)
    {:ok, _} = Upcall.Pool.start_link(name: __MODULE__.Pool)
    {:ok, _} = GenServer.start_link(Blocking.Common.Server, nil, name: __MODULE__.Common)

    for {name, about, start} <- [
          {"server", "f.on(server)(x)", &start(&1, __MODULE__.Server, &2)},
          {"pool", "f.on(pool)(x)", &start(&1, __MODULE__.Pool, &2)},
          {"common", "by hand: a message, a condition variable",
           &Blocking.Common.Native.many(__MODULE__.Common, &1, &2)}
        ],
        threads <- [1, 2, 4, 8, 16] do
      each = div(@calls, threads)

      Growth.contender(name, about, threads, @calls,
        # Waiting threads learn whether it is worth to spin, and have learnt it of others before.
        prepare: fn ->
          on_threads(start, Callback.square(), threads, each)
          Callback.square()
        end,
        run: &on_threads(start, &1, threads, each),
        expected: threads * Callback.expected_sum(each)
      )
    end
  end

  defp start(fun, executor, count), do: Blocking.Threads.many(fun, executor, count, self())

  defp on_threads(start, fun, threads, each) do
    for _ <- 1..threads, do: start.(fun, each)
    Enum.reduce(1..threads, 0, fn _, sum -> sum + Blocking.await_sum() end)
  end
end
