Code.require_file("support/executor_function.exs", __DIR__)

defmodule UpcallTest.PoolRoutingTest do
  # The first calls of a library wait until the pool has told who its workers are.
  use ExUnit.Case, async: true
  alias UpcallTest.ExecutorFunction

  setup do
    {:ok, pool: start_supervised!({Upcall.Pool, size: 2, max_queue: 100})}
  end

  # Calls by `count` processes at once, whose functions wait for `:go_on`.
  defp start_calls(pool, count) do
    test = self()

    wait = fn number ->
      send(test, {:running, self()})
      receive do: (:go_on -> number)
    end

    for number <- 1..count do
      {:ok, task} =
        Task.start(fn ->
          send(test, {:result, call(wait, pool, number)})
        end)

      task
    end
  end

  defp call(f, pool, number) do
    {:ok, ExecutorFunction.await_on(f, pool, number)}
  rescue
    error in Upcall.ExecutorError -> {:error, error.reason}
  end

  defp let_go_on(count) do
    for _ <- 1..count do
      assert_receive {:running, worker}, 5_000
      send(worker, :go_on)
    end
  end

  defp results(count) do
    for _ <- 1..count do
      assert_receive {:result, result}, 5_000
      result
    end
  end

  # So that they come before the pool has told.
  defp start_calls_early(pool, count) do
    :ok = :sys.suspend(pool)
    start_calls(pool, count)

    UpcallTest.Wait.until(fn -> Upcall.info(ExecutorFunction).waiting == count end)

    :ok = :sys.resume(pool)
  end

  test "many calls that come to a pool before its workers are known are done", %{pool: pool} do
    start_calls_early(pool, 20)
    let_go_on(20)
    assert Enum.sort(results(20)) == for(number <- 1..20, do: {:ok, number})
  end

  test "no load is left of them, so that as many calls fit as before", %{pool: pool} do
    start_calls_early(pool, 20)
    let_go_on(20)
    results(20)

    start_calls(pool, 102)
    let_go_on(102)
    assert [] == for({:error, reason} <- results(102), do: reason)
  end

  test "a worker's death is told to the one that it has, and the others go on", %{pool: pool} do
    start_calls_early(pool, 20)
    assert_receive {:running, one}, 5_000
    assert_receive {:running, other}, 5_000
    for worker <- [one, other], do: Process.exit(worker, :kill)
    let_go_on(18)
    assert %{{:error, {:down, :killed}} => 2} = frequencies = Enum.frequencies(results(20))
    assert map_size(frequencies) == 19
  end
end
