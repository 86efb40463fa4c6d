Code.require_file("support/executor_stress.exs", __DIR__)
Code.require_file("support/thread_calls.exs", __DIR__)

defmodule Upcall.PoolTest do
  use ExUnit.Case

  import UpcallTest.ThreadCalls

  alias UpcallTest.Executor, as: Native
  alias UpcallTest.{ExecutorStress, Wait}

  @at_once 10_000
  @slow UpcallTest.Machine.slow?()

  # Has a function wait in a worker, and gives that one.
  defp occupy(pool) do
    test = self()

    start_call(pool, fn ->
      send(test, {:occupied, self()})
      receive(do: (:go -> :went))
    end)

    assert_receive {:occupied, worker}, @at_once
    worker
  end

  defp release(worker) do
    send(worker, :go)
    assert await_outcome() == {:ok, :went}
  end

  defp pool(options), do: start_supervised!({Upcall.Pool, options})

  # Counters are read without the workers, so that they may be a moment behind.
  defp await_info(pool, expected) do
    Wait.until(fn -> match?(^expected, Map.take(Upcall.Pool.info(pool), Map.keys(expected))) end)
  end

  describe "is started" do
    test "with as many workers as schedulers are online, or as many as are said" do
      pool = pool([])
      assert length(Upcall.Pool.info(pool).workers) == System.schedulers_online()
      stop_supervised!(Upcall.Pool)
      pool = pool(size: 5)
      assert length(Enum.uniq(Upcall.Pool.info(pool).workers)) == 5
    end

    test "by every form of name, with a specification of its own for each" do
      start_supervised!({Registry, keys: :unique, name: UpcallTest.PoolRegistry})

      for name <- [
            UpcallTest.Pool,
            {:global, UpcallTest.Pool},
            {:via, Registry, {UpcallTest.PoolRegistry, 1}}
          ] do
        pool = pool(name: name, size: 1)
        assert GenServer.whereis(name) == pool
        assert %{workers: [worker]} = Upcall.Pool.info(name)
        assert call(pool, fn -> self() end) == {:ok, worker}
      end

      assert {:ok, _} = call(UpcallTest.Pool, fn -> self() end)
      assert %{id: :a, type: :supervisor} = Upcall.Pool.child_spec(name: :a)
    end

    for {options, message} <- [
          {[size: 0], "Upcall.Pool: option :size: expected a positive integer, got: 0"},
          {[max_queue: -1],
           "Upcall.Pool: option :max_queue: expected a non-negative integer, got: -1"},
          {[max_queue: :infinity],
           "Upcall.Pool: option :max_queue: expected a non-negative integer, got: :infinity"},
          {[workers: 1],
           "Upcall.Pool: unknown option :workers, known options are :name, :size, :max_queue, :node"},
          {[node: 1], "Upcall.Pool: option :node: expected an atom, got: 1"}
        ] do
      test "not with #{inspect(options)}" do
        assert_raise ArgumentError, unquote(message), fn ->
          Upcall.Pool.start_link(unquote(options))
        end
      end
    end
  end

  describe "a slow call" do
    test "holds up no other while a worker is idle" do
      pool = pool(size: 2)
      slow = occupy(pool)

      for n <- 1..100 do
        assert {:ok, {^n, worker}} = call(pool, &{&1, self()}, [n])
        assert worker != slow
      end

      release(slow)
    end

    test "leaves those that wait to the first worker that is idle, whichever that is" do
      pool = pool(size: 3)
      workers = for _ <- 1..3, do: occupy(pool)
      assert Enum.sort(workers) == Enum.sort(Upcall.Pool.info(pool).workers)

      for idle <- workers do
        for n <- 1..4, do: start_call(pool, fn -> {n, self()} end)
        await_waiting(4)
        send(idle, :go)
        outcomes = for _ <- 1..5, do: await_outcome()

        assert Enum.sort(outcomes) ==
                 Enum.sort([{:ok, :went} | for(n <- 1..4, do: {:ok, {n, idle}})])

        assert occupy(pool) == idle
      end

      for worker <- workers, do: release(worker)
    end

    test "runs those that wait in the order in which they came" do
      pool = pool(size: 1)
      worker = occupy(pool)
      test = self()

      for n <- 1..20 do
        start_call(pool, fn -> send(test, {:ran, n}) end)
        await_waiting(n)
      end

      send(worker, :go)
      for _ <- 1..21, do: await_outcome()
      for n <- 1..20, do: assert_received({:ran, ^n})
      assert Upcall.info(Native).waiting == 0
    end

    test "does not wait behind those that timed out" do
      pool = pool(size: 1)
      slow = occupy(pool)
      for _ <- 1..5, do: start_call(pool, fn -> flunk("never") end, [], 1)
      for _ <- 1..5, do: assert(await_outcome() == {:error, :timeout})
      start_call(pool, fn -> :next end)
      await_waiting(6)
      send(slow, :go)
      assert Enum.sort([await_outcome(), await_outcome()]) == [ok: :next, ok: :went]
    end
  end

  # By the library's own count: they wait in no mailbox.
  defp await_waiting(count),
    do: Wait.until(fn -> Upcall.info(Native).waiting == count end)

  describe "no more than :max_queue calls wait:" do
    for {size, max_queue} <- [{1, 0}, {1, 1}, {2, 0}, {3, 5}] do
      test "#{max_queue} for #{size} workers, and one more is refused at once" do
        {size, max_queue} = {unquote(size), unquote(max_queue)}
        pool = pool(size: size, max_queue: max_queue)

        for _ <- 1..2 do
          workers = for _ <- 1..size, do: occupy(pool)
          for _ <- 1..max_queue//1, do: start_call(pool, fn -> :queued end)
          await_waiting(max_queue)

          for _ <- 1..5 do
            assert call(pool, fn -> flunk("it never ran") end) == {:error, :overloaded}
          end

          assert Upcall.info(Native).waiting == max_queue
          for worker <- workers, do: send(worker, :go)
          outcomes = for _ <- 1..(size + max_queue), do: await_outcome()
          assert Enum.frequencies(outcomes)[{:ok, :went}] == size
          assert Enum.count(outcomes, &(&1 == {:ok, :queued})) == max_queue
        end
      end
    end

    # The race: a caller goes on before its call has left the worker.
    test "a caller that goes on as soon as it was answered finds its own place free" do
      pool = pool(size: 1, max_queue: 0)
      :ok = ExecutorStress.crowd(pool, & &1, 1, if(@slow, do: 5_000, else: 50_000), 0)
      assert_receive {:crowd, counts}, 60_000
      assert %{overloaded: 0, lies: 0} = counts
    end

    # The race: many ask for the last places at once.
    test "exactly so many are taken of those that come at once" do
      for _ <- 1..if(@slow, do: 5, else: 20) do
        pool = pool(size: 2, max_queue: 3)
        assert call(pool, fn -> :known_now end) == {:ok, :known_now}
        for worker <- Upcall.Pool.info(pool).workers, do: :sys.suspend(worker)

        for _ <- 1..2 do
          for _ <- 1..12, do: start_call(pool, fn -> :taken end)
          for _ <- 1..7, do: assert(await_outcome() == {:error, :overloaded})
          for worker <- Upcall.Pool.info(pool).workers, do: :sys.resume(worker)
          for _ <- 1..5, do: assert(await_outcome() == {:ok, :taken})
          for worker <- Upcall.Pool.info(pool).workers, do: :sys.suspend(worker)
        end

        stop_supervised!(Upcall.Pool)
      end
    end
  end

  describe "no process stands between native code and the workers:" do
    test "calls go on while the pool itself is suspended" do
      pool = pool(size: 2)
      assert {:ok, _} = call(pool, fn -> :known_now end)
      :sys.suspend(pool)
      for n <- 1..100, do: assert(call(pool, & &1, [n]) == {:ok, n})
      :sys.resume(pool)
    end

    test "the pool gets no message of a call once its workers are known" do
      pool = pool(size: 2)
      assert {:ok, _} = call(pool, fn -> :known_now end)
      :erlang.trace(pool, true, [:receive])
      for n <- 1..100, do: assert(call(pool, & &1, [n]) == {:ok, n})
      :erlang.trace(pool, false, [:receive])
      reference = :erlang.trace_delivered(pool)
      assert_receive {:trace_delivered, ^pool, ^reference}
      refute_received {:trace, ^pool, :receive, _}
    end
  end

  describe "a worker that dies" do
    test "is replaced, its caller is told, and calls go on" do
      pool = pool(size: 2)

      for _ <- 1..20 do
        worker = occupy(pool)
        Process.exit(worker, :kill)
        assert await_outcome() == {:error, {:down, :killed}}
        assert {:ok, other} = call(pool, fn -> self() end)
        assert other != worker
      end

      assert %{workers: [one, two], failed: 20} = Upcall.Pool.info(pool)
      assert Process.alive?(one) and Process.alive?(two) and one != two
    end

    test "leaves each place its own: as many calls run at once as before" do
      pool = pool(size: 3)
      for worker <- Upcall.Pool.info(pool).workers, do: Process.exit(worker, :kill)

      Wait.until(fn -> Enum.all?(Upcall.Pool.info(pool).workers, &Process.alive?/1) end)
      workers = for _ <- 1..3, do: occupy(pool)
      assert length(Enum.uniq(workers)) == 3
      Enum.each(workers, &release/1)
    end

    # The race: the worker dies while a call is on its way to it.
    test "at any moment: each call has an outcome of its own, at once, and none is :noproc" do
      pool = pool(size: 2)

      for round <- 1..if(@slow, do: 50, else: 300) do
        [worker | _] = Upcall.Pool.info(pool).workers
        for n <- 1..4, do: start_call(pool, & &1, [n])
        for _ <- 1..rem(round * 7, 50)//1, do: :erlang.yield()
        Process.exit(worker, :kill)
        for n <- 1..4, do: start_call(pool, & &1, [n])

        for _ <- 1..8 do
          outcome = await_outcome()
          assert outcome in [{:error, {:down, :killed}} | for(n <- 1..4, do: {:ok, n})]
        end
      end

      assert {:ok, :fine} = call(pool, fn -> :fine end)
    end
  end

  describe "info counts" do
    test "functions that run, have returned and have failed" do
      pool = pool(size: 2)
      assert %{running: 0, done: 0, failed: 0} = Upcall.Pool.info(pool)
      for n <- 1..7, do: assert({:ok, ^n} = call(pool, & &1, [n]))
      await_info(pool, %{running: 0, done: 7, failed: 0})
      {:error, {:exception, _}} = call(pool, fn -> raise "1" end)
      {:error, {:exit, _}} = call(pool, fn -> exit(2) end)
      {:error, {:throw, _}} = call(pool, fn -> throw(3) end)
      await_info(pool, %{running: 0, done: 7, failed: 3})

      one = occupy(pool)
      two = occupy(pool)
      await_info(pool, %{running: 2, done: 7, failed: 3})
      release(one)
      Process.exit(two, :kill)
      assert await_outcome() == {:error, {:down, :killed}}
      await_info(pool, %{running: 0, done: 8, failed: 4})
    end

    test "no call that came too late" do
      pool = pool(size: 1)
      worker = occupy(pool)
      start_call(pool, fn -> flunk("it never ran") end, [], 1)
      assert await_outcome() == {:error, :timeout}
      release(worker)
      assert call(pool, fn -> 1 end) == {:ok, 1}
      await_info(pool, %{running: 0, done: 2, failed: 0})
    end
  end

  describe "calls that gave up while they waited" do
    defp give_up(pool, count) do
      for _ <- 1..count, do: :ok = Native.apply_thread(pool, fn -> flunk("never") end, [], 1)
      for _ <- 1..count, do: assert(await_outcome() == {:error, :timeout})
    end

    defp await_no_calls,
      do: Wait.until(fn -> match?(%{calls: 0, waiting: 0}, Upcall.info(Native)) end)

    test "leave nothing behind when a worker has come to them" do
      pool = pool(size: 1)
      worker = occupy(pool)
      give_up(pool, 50)
      release(worker)
      await_no_calls()
    end

    test "leave nothing behind when others have taken their place" do
      pool = pool(size: 1, max_queue: 5)
      worker = occupy(pool)
      for _ <- 1..10, do: give_up(pool, 5)
      release(worker)
      await_no_calls()
    end
  end

  test "a function in a worker has the calling process in $callers" do
    pool = pool(size: 2)
    callers = fn -> Process.get(:"$callers") end
    assert Native.apply_io(pool, callers, [], 60_000) == {:ok, [self()]}
    assert Native.apply_io(pool, callers, [], 60_000) == {:ok, [self()]}
    assert Native.apply_frame(pool, callers, [], 60_000) == {:ok, [self()]}
    assert call(pool, callers) == {:ok, nil}
  end

  describe "a function that calls the pool which runs it" do
    defp nested(pool, timeout \\ 60_000),
      do: fn -> Native.apply_frame(pool, fn -> :inner end, [], timeout) end

    test "is served while a worker is free" do
      pool = pool(size: 2)
      for _ <- 1..10, do: assert(call(pool, nested(pool)) == {:ok, {:ok, :inner}})
    end

    test "is told so where there is no other worker" do
      pool = pool(size: 1)
      # Also when only the pool knows that: the first time.
      for _ <- 1..3, do: assert(call(pool, nested(pool)) == {:ok, {:error, :calling_self}})
    end

    test "times out where all workers wait for each other, and the pool goes on" do
      pool = pool(size: 2)
      test = self()

      both = fn ->
        send(test, {:in, self()})
        receive(do: (:go -> Native.apply_frame(pool, fn -> :inner end, [], 100)))
      end

      for _ <- 1..2, do: start_call(pool, both)
      workers = for _ <- 1..2, do: receive(do: ({:in, worker} -> worker))
      for worker <- workers, do: send(worker, :go)
      outcomes = for _ <- 1..2, do: await_outcome()
      # The one that gives up first may free the other.
      assert {:ok, {:error, :timeout}} in outcomes
      assert Enum.all?(outcomes, &(&1 in [{:ok, {:error, :timeout}}, {:ok, {:ok, :inner}}]))
      assert call(pool, fn -> :fine end) == {:ok, :fine}
    end

    test "is refused where its queue is full" do
      pool = pool(size: 2, max_queue: 0)
      other = occupy(pool)
      assert call(pool, nested(pool)) == {:ok, {:error, :overloaded}}
      release(other)
    end
  end

  describe "a pool that is stopped" do
    test "takes its workers with it, and tells who waits" do
      pool = pool(size: 3, name: UpcallTest.Stopped)
      for _ <- 1..3, do: occupy(pool)
      workers = Upcall.Pool.info(pool).workers
      start_call(pool, fn -> flunk("it never ran") end)
      await_waiting(1)
      monitors = for pid <- [pool | workers], do: Process.monitor(pid)
      stop_supervised!(UpcallTest.Stopped)
      for ref <- monitors, do: assert_receive({:DOWN, ^ref, :process, _, :shutdown}, @at_once)
      for _ <- 1..4, do: assert(await_outcome() == {:error, {:down, :shutdown}})
      assert call(UpcallTest.Stopped, fn -> 1 end) == {:error, :noproc}
      assert call(pool, fn -> 1 end) == {:error, :noproc}
    end

    test "also takes a worker that a function had trap exits" do
      pool = pool(size: 1)
      assert {:ok, false} = call(pool, fn -> Process.flag(:trap_exit, true) end)
      assert {:ok, worker} = call(pool, fn -> self() end)
      ref = Process.monitor(worker)
      stop_supervised!(Upcall.Pool)
      assert_receive {:DOWN, ^ref, :process, _, _}, @at_once
    end

    test "also takes one that is in such a function just then" do
      pool = pool(size: 1)
      test = self()

      start_call(pool, fn ->
        Process.flag(:trap_exit, true)
        send(test, {:deaf, self()})
        receive(do: (:never -> 1))
      end)

      assert_receive {:deaf, worker}, @at_once
      ref = Process.monitor(worker)
      stop_supervised!(Upcall.Pool)
      assert_receive {:DOWN, ^ref, :process, _, :killed}, @at_once
      assert await_outcome() == {:error, {:down, :killed}}
    end

    test "by a kill leaves no worker, and no caller" do
      {:ok, pool} = GenServer.start(Upcall.Pool, size: 2, max_queue: 10)
      workers = for _ <- 1..2, do: occupy(pool)
      refs = for worker <- workers, do: Process.monitor(worker)
      Process.exit(pool, :kill)
      for ref <- refs, do: assert_receive({:DOWN, ^ref, :process, _, :killed}, @at_once)
      for _ <- 1..2, do: assert(await_outcome() == {:error, {:down, :killed}})
    end

    test "is followed under its name by one with other workers" do
      for size <- 1..3 do
        pool(name: UpcallTest.Again, size: size)
        workers = for _ <- 1..size, do: occupy(UpcallTest.Again)
        assert Enum.sort(workers) == Enum.sort(Upcall.Pool.info(UpcallTest.Again).workers)
        Enum.each(workers, &release/1)
        stop_supervised!(UpcallTest.Again)
      end
    end
  end

  test "stray messages do a pool no harm" do
    pool = pool(size: 1)
    ref = make_ref()

    for stray <- [
          :hello,
          {:upcall, ref, Native},
          {:upcall, Native, ref},
          {:upcall, {Native, ref}, nil, & &1, []},
          {:EXIT, self(), :normal},
          {:DOWN, ref, :process, self(), :x},
          {ref, 1}
        ],
        do: send(pool, stray)

    assert call(pool, fn -> 1 end) == {:ok, 1}
    assert Process.alive?(pool)
  end
end
