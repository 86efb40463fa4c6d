for name <- ~w(executor executor_function), do: Code.require_file("support/#{name}.exs", __DIR__)

defmodule UpcallTest.PortingTest do
  # Blocks dirty IO schedulers.
  use ExUnit.Case, async: false

  alias UpcallTest.{Executor, ExecutorFunction, Wait}

  @calls 100
  @tasks 50

  setup do
    # A call of a test before, whose process is gone, may hold a dirty IO scheduler for a moment longer.
    Wait.until(fn -> Upcall.info(Executor).calls == 0 end)
    {:ok, pool: start_supervised!({Upcall.Pool, size: @tasks})}
  end

  # The shape that `rustler_elixir_fun` shows in its documentation.
  test "a hundred calls by fifty tasks through a pool all run, from frames", %{pool: pool} do
    stream = call_by_tasks(fn f, x -> ExecutorFunction.call_on(f, pool, x, 60_000) end)

    functions = for _ <- 1..@tasks, do: assert_begun()
    Enum.each(functions, &send(&1, :go))
    for _ <- (@tasks + 1)..@calls, do: send(assert_begun(), :go)

    assert Task.await(stream) == Enum.map(1..@calls, &(&1 * 2))
  end

  test "of those by hand, in dirty IO NIFs, no more run at once than leave a dirty IO scheduler",
       %{
         pool: pool
       } do
    stream = call_by_tasks(fn f, x -> Executor.apply_io(pool, f, [x], 60_000) end)

    most = :erlang.system_info(:dirty_io_schedulers) - 1
    functions = for _ <- 1..most, do: assert_begun()
    for _ <- (most + 1)..@calls, do: assert_receive({:called, {:error, :overloaded}}, 60_000)
    Enum.each(functions, &send(&1, :go))

    assert stream |> Task.await() |> Enum.count(&(&1 == {:error, :overloaded})) == @calls - most
  end

  # Two callers that come at once are not to tell the same idle worker, which takes one call and leaves the other.
  @tag timeout: :timer.minutes(5)
  test "of calls that race for the idle workers of a pool, each begins at once, in a thousand rounds" do
    for _ <- 1..1_000 do
      {:ok, pool} = Upcall.Pool.start_link(size: @tasks)
      test = self()

      f = fn x ->
        send(test, {:begun, self()})
        receive do: (:go -> x)
      end

      callers =
        for x <- 1..@tasks,
            do: Task.async(fn -> ExecutorFunction.call_on(f, pool, x, 60_000) end)

      functions = for _ <- 1..@tasks, do: assert_begun()
      Enum.each(functions, &send(&1, :go))
      assert Task.await_many(callers) == Enum.to_list(1..@tasks)
      GenServer.stop(pool)
    end
  end

  # The functions end when they are told.
  defp call_by_tasks(call) do
    test = self()

    f = fn x ->
      send(test, {:begun, self()})
      receive do: (:go -> x * 2)
    end

    Task.async(fn ->
      1..@calls
      |> Task.async_stream(&tell(test, call.(f, &1)), max_concurrency: @tasks, timeout: :infinity)
      |> Enum.map(fn {:ok, value} -> value end)
    end)
  end

  defp tell(test, value) do
    send(test, {:called, value})
    value
  end

  defp assert_begun do
    assert_receive {:begun, function}, 60_000
    function
  end
end
