defmodule Bench.Growth.Closure do
  @moduledoc false
  @behaviour Bench.Part

  alias Bench.{Blocking, Callback, Growth}

  @calls 1000

  @impl true
  def title, do: "time per callback, by how much the function has captured"

  @impl true
  def setting, do: Growth.setting("words captured")

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__)
    {:ok, _} = GenServer.start_link(Blocking.Common.Server, nil, name: __MODULE__.Common)

    for {name, about, many, copies?} <- [
          {"frame", "f(x) on a fiber", &Callback.Frame.Native.many/2, false},
          {"task", "f(x) in a coroutine", &Callback.Task.Native.many/2, false},
          {"server", "f.on(server)(x) on a thread", &Growth.on_executor(&1, __MODULE__, &2),
           true},
          {"common", "by hand: a message, a condition variable",
           &Growth.by_hand(&1, __MODULE__.Common, &2), true}
        ],
        words <- [0 | tl(Growth.powers(1_000_000))] do
      calls = if copies?, do: @calls |> min(div(1_000_000, max(words, 1))) |> max(5), else: @calls

      Growth.contender(name, about, words, calls,
        # A cell of a list takes two words.
        prepare: fn -> Callback.square_with_list(div(words, 2)) end,
        run: &many.(&1, calls),
        expected: Callback.expected_sum(calls)
      )
    end
  end
end
