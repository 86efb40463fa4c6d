defmodule Bench.Growth.Suspended do
  @moduledoc false
  # Each of many native calls is suspended in a function that waits for a message. All get one, by
  # turns: what was suspended longest goes on next, and no cache knows it any more.

  @behaviour Bench.Part

  alias Bench.{Contender, Growth}

  @impl true
  def title,
    do: "time of a message to a suspended native call and its answer, by how many there are"

  @impl true
  def setting, do: Map.put(Growth.setting("suspended native calls"), :repetitions, 5)

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders,
    do: for(count <- Growth.powers(100_000), way <- ways(), do: contender(way, count))

  @doc """
  Returns what can wait for messages: its name, what it is, and a function that waits until the one
  it calls returns `false`.
  """
  @spec ways() :: [{String.t(), String.t(), ((non_neg_integer() -> boolean()) -> term())}]
  def ways do
    [
      {"process", "a process without a native call", &serve/1},
      {"frame", "a process suspended in a call on a fiber", &Growth.Native.serve/1},
      {"task", "a process suspended in a coroutine", &Growth.Native.serve_in_task/1}
    ]
  end

  @doc """
  Makes the contender of a way, with `count` calls suspended.
  """
  @spec contender(tuple(), pos_integer()) :: Contender.t()
  def contender({name, about, serve}, count) do
    rounds = max(div(1000, count), 1)

    Growth.contender(name, about, count, count * rounds,
      prepare: fn -> suspend(serve, count) end,
      run: &rounds(&1, rounds, 0),
      expected: count * rounds,
      finish: &release/1
    )
  end

  @doc """
  Starts `count` processes, and returns them once each has been suspended.
  """
  @spec suspend(((non_neg_integer() -> boolean()) -> term()), pos_integer()) :: [pid()]
  def suspend(serve, count) do
    owner = self()

    processes =
      for _ <- 1..count, do: spawn_link(fn -> serve.(fn served -> wait(owner, served) end) end)

    await(processes, :waiting, 0)
    processes
  end

  @doc """
  Ends what `suspend/2` has started, and waits for it.
  """
  @spec release([pid()]) :: :ok
  def release(processes) do
    monitors = for process <- processes, do: Process.monitor(process)
    Enum.each(processes, &send(&1, :stop))

    Enum.each(monitors, fn monitor ->
      receive do
        {:DOWN, ^monitor, _, _, _} -> :ok
      end
    end)
  end

  defp rounds(_, 0, sum), do: sum

  defp rounds(processes, rounds, sum) do
    Enum.each(processes, &send(&1, :go))
    rounds(processes, rounds - 1, await(processes, :served, sum))
  end

  defp await(processes, answer, sum) do
    Enum.reduce(processes, sum, fn _, sum ->
      receive do
        ^answer -> sum + 1
      end
    end)
  end

  # What the native call, or `serve/1`, calls. Its first call says that it is suspended.
  defp wait(owner, served) do
    if served == 0, do: send(owner, :waiting)

    receive do
      :go ->
        send(owner, :served)
        true

      :stop ->
        false
    end
  end

  defp serve(fun), do: serve(fun, 0)
  defp serve(fun, served), do: if(fun.(served), do: serve(fun, served + 1), else: served)
end
