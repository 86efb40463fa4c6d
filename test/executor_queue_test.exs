Code.require_file("support/executor_queue.exs", __DIR__)
Code.require_file("support/executor_function.exs", __DIR__)

defmodule Upcall.ExecutorQueueTest do
  # Calls wait in their library: what was accepted runs.
  use ExUnit.Case

  import ExUnit.CaptureLog

  alias UpcallTest.ExecutorFunction, as: Other
  alias UpcallTest.ExecutorQueue, as: Native
  alias UpcallTest.Wait

  @slow UpcallTest.Machine.slow?()
  @at_once 10_000
  @many if(@slow, do: 5_000, else: 100_000)
  @moduletag timeout: 120_000

  setup do
    # Nobody collects garbage for it.
    on_exit(fn -> Wait.until(fn -> Upcall.info(Native).calls == 0 end) end)
  end

  defp server(options), do: start_supervised!({Upcall.Server, options})
  defp pool(options), do: start_supervised!({Upcall.Pool, options})

  # A function that counts how often it runs.
  defp counted do
    counter = :counters.new(1, [])
    {fn _ -> :counters.add(counter, 1, 1) end, fn -> :counters.get(counter, 1) end}
  end

  # A function that tells the test where it runs, and waits for `:go`.
  defp stopper do
    test = self()

    fn x ->
      send(test, {:running, self(), x})
      receive(do: (:go -> x))
    end
  end

  defp await_running(x) do
    assert_receive {:running, worker, ^x}, @at_once
    worker
  end

  defp await_waiting(count),
    do: Wait.until(fn -> Upcall.info(Native).waiting == count end)

  # Of an executor that is known: as each of its workers has looked by then.
  defp make_known(executor), do: assert(Native.call_in_frame(& &1, executor, 1) == 1)

  describe "of a burst of casts, all that were accepted run:" do
    for {name, child} <- [
          {"a pool", {Upcall.Pool, size: 2, max_queue: 100}},
          {"a pool as it is by default", Upcall.Pool},
          {"a server", {Upcall.Server, max_queue: 100}},
          {"a server as it is by default", Upcall.Server}
        ],
        from <- [:cast_in_frame, :cast_in_pinned, :cast_in_dirty_io] do
      test "#{name} that was just started, #{from}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        {count, ran} = counted()
        accepted = apply(Native, unquote(from), [count, executor, @many])
        assert accepted in 1..@many
        Wait.until(fn -> ran.() == accepted end)
        Wait.until(fn -> match?(%{calls: 0, waiting: 0}, Upcall.info(Native)) end)
        assert ran.() == accepted

        # And now that it is known.
        accepted = accepted + apply(Native, unquote(from), [count, executor, @many])
        Wait.until(fn -> ran.() == accepted end)
        Wait.until(fn -> Upcall.info(Native).calls == 0 end)
        assert ran.() == accepted
      end
    end

    test "from four threads at once, before it has said who it is" do
      pool = pool(size: 2, max_queue: 10)
      :sys.suspend(pool)
      {count, ran} = counted()
      accepted = Native.cast_on_threads(count, pool, 5_000, 4)
      assert accepted == 10_000
      :sys.resume(pool)
      Wait.until(fn -> ran.() == accepted end)
      # From now on its own bound holds.
      for worker <- Upcall.Pool.info(pool).workers, do: :sys.suspend(worker)
      assert Native.cast_on_threads(count, pool, 100, 4) == 12
      for worker <- Upcall.Pool.info(pool).workers, do: :sys.resume(worker)
      Wait.until(fn -> ran.() == accepted + 12 end)
    end

    test "after a worker was killed, but for what that was running" do
      pool = pool(size: 2, max_queue: 1_000)
      make_known(pool)
      {count, ran} = counted()

      for round <- 1..20 do
        stop = stopper()
        assert Native.cast_in_frame(stop, pool, 1) == 1
        worker = await_running(1)
        before = ran.()
        lost_before = Upcall.info(Native).lost_casts
        accepted = Native.cast_in_frame(count, pool, 500)
        Process.exit(worker, :kill)
        accepted = accepted + Native.cast_in_frame(count, pool, 100 * round)
        Wait.until(fn -> ran.() == before + accepted end)
        Wait.until(fn -> Upcall.info(Native).lost_casts == lost_before + 1 end)
      end
    end

    # Its process can't send anything any more, and the executor sleeps.
    test "those of a process that is killed meanwhile, and the next ones" do
      server = server([])
      {count, ran} = counted()

      for round <- 1..if(@slow, do: 20, else: 200) do
        {pid, monitor} = spawn_monitor(fn -> Native.cast_until_killed(count, server) end)
        before = ran.()
        Wait.until(fn -> ran.() > before end)
        for _ <- 1..rem(round * 7, 50)//1, do: :erlang.yield()
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, :process, ^pid, :killed}, @at_once
      end

      Wait.until_no_frames(Native)
      accepted = Native.take_accepted()
      Wait.until(fn -> ran.() == accepted end)
      assert Native.call_in_frame(& &1, server, 7) == 7
    end
  end

  describe "of casts that are paced at what the executor runs, none is refused, from its start on:" do
    for {name, child, most} <- [
          {"a pool", {Upcall.Pool, size: 2, max_queue: 100}, 100},
          {"a pool as it is by default", {Upcall.Pool, []}, 1_000},
          {"a server", {Upcall.Server, max_queue: 100}, 100},
          {"a server as it is by default", {Upcall.Server, []}, 1_000}
        ] do
      @tag :slow
      test "#{name}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        {count, ran} = counted()
        # One that is counted has not ended yet, which leaves the workers' own places.
        assert Native.cast_paced(count, ran, executor, @many, unquote(most)) == @many
        Wait.until(fn -> ran.() == @many end)
      end
    end
  end

  describe "no call is refused after it was accepted:" do
    for {name, count, start} <- [
          {"futures", 200, quote(do: &Native.async_all(&1, &2, 200))},
          {"waiting calls", 50, quote(do: &Native.wait_on_threads(&1, &2, 50, false))},
          {"maps", 50, quote(do: &Native.wait_on_threads(&1, &2, 50, true))}
        ] do
      test "#{name}, of a pool that was just started" do
        pool = pool(size: 1, max_queue: 5)
        :sys.suspend(pool)
        start = unquote(start)
        task = Task.async(fn -> start.(& &1, pool) end)
        await_waiting(unquote(count))
        :sys.resume(pool)
        outcomes = Task.await(task)
        assert outcomes["value"] == unquote(count)
        assert outcomes |> Map.values() |> Enum.sum() == unquote(count)
      end
    end

    test "futures, of a pool whose worker is killed" do
      pool = pool(size: 1, max_queue: 5)
      make_known(pool)
      stop = stopper()
      task = Task.async(fn -> Native.async_all(stop, pool, 10) end)
      worker = await_running(1)
      await_waiting(5)
      Process.exit(worker, :kill)
      for x <- 2..6, do: send(await_running(x), :go)
      assert Task.await(task) == %{"down" => 1, "value" => 5, "overloaded" => 4}
    end
  end

  describe "a server has a bound:" do
    for max_queue <- [0, 1, 5] do
      test ":max_queue #{max_queue}, and one more is refused at once" do
        server = server(max_queue: unquote(max_queue))
        make_known(server)
        stop = stopper()

        for _ <- 1..2 do
          task = Task.async(fn -> Native.call_in_frame(stop, server, 0) end)
          await_running(0)
          assert Native.cast_in_frame(stop, server, 20) == unquote(max_queue)
          assert Upcall.info(Native).waiting == unquote(max_queue)

          assert_raise Upcall.ExecutorError, ~r/as many calls waiting as it may have/, fn ->
            Native.call_in_frame(stop, server, 1)
          end

          send(server, :go)
          assert Task.await(task) == 0
          for x <- 1..unquote(max_queue)//1, do: send(await_running(x), :go)
          make_known(server)
        end
      end
    end

    test "1,000 where nobody says" do
      server = server([])
      make_known(server)
      task = Task.async(fn -> Native.call_in_frame(stopper(), server, 0) end)
      Wait.until(fn -> Process.info(task.pid, :status) == {:status, :waiting} end)
      send(server, :go)
      Task.await(task)
      :sys.suspend(server)
      # The one that it will run next is on its way.
      {count, ran} = counted()
      assert Native.cast_in_frame(count, server, 2_000) == 1_001
      :sys.resume(server)
      Wait.until(fn -> ran.() == 1_001 end)
    end
  end

  describe "memory" do
    @tag :slow
    test "of calls is free when the last was answered, and flat over ten bursts" do
      pool = pool(size: 2, max_queue: 100)
      server = server(max_queue: 20_000)
      {count, ran} = counted()

      burst = fn ->
        for executor <- [pool, server], cast <- [:cast_in_frame, :cast_in_pinned] do
          accepted = ran.() + apply(Native, cast, [count, executor, div(@many, 5)])
          Wait.until(fn -> ran.() == accepted end)
        end

        # None of the processes has to collect its garbage first.
        Wait.until(fn -> Upcall.info(Native).calls == 0 end, 1_000)
        Enum.each(Process.list(), &:erlang.garbage_collect/1)
        UpcallTest.Memory.resident_kilobytes()
      end

      [first | _] = for _ <- 1..3, do: burst.()
      last = List.last(for _ <- 1..10, do: burst.())
      assert last < first * 1.25 + 20_000
    end
  end

  # A function that takes all messages of its process, when it is told to.
  defp emptier do
    test = self()

    fn x ->
      send(test, {:running, self(), x})
      receive(do: (:go -> :ok))
      send(test, {:took, empty_mailbox([])})
      x
    end
  end

  defp empty_mailbox(seen) do
    receive do
      message -> empty_mailbox([message | seen])
    after
      0 -> seen
    end
  end

  # Another library calls the executor while the first one's function runs in `worker`, and that takes what
  # has come to its mailbox of it.
  defp assert_not_taken(executor, before_go \\ fn -> :ok end) do
    empty = emptier()
    first = Task.async(fn -> Native.call_in_frame(empty, executor, 1) end)
    worker = await_running(1)
    other = Task.async(fn -> Other.await_on(& &1, executor, 7) end)
    Wait.until(fn -> has_message?(worker, &upcall?/1) end)
    before_go.()
    send(worker, :go)
    assert Task.await(first) == 1
    assert_receive {:took, messages}
    assert Enum.any?(messages, &upcall?/1)
    other
  end

  defp has_message?(pid, kind), do: Enum.any?(elem(Process.info(pid, :messages), 1), kind)
  defp upcall?(message), do: is_tuple(message) and elem(message, 0) == :upcall

  describe "a function that empties the mailbox of its process takes no call:" do
    for {name, child} <- [
          {"in a server", Upcall.Server},
          {"in a pool", {Upcall.Pool, size: 1}}
        ] do
      test "none of its own library, #{name}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        make_known(executor)
        {count, ran} = counted()
        empty = emptier()
        first = Task.async(fn -> Native.call_in_frame(empty, executor, 1) end)
        worker = await_running(1)
        assert Native.cast_in_frame(count, executor, 50) == 50
        calls = for x <- 2..9, do: Task.async(fn -> Native.call_in_frame(empty, executor, x) end)
        await_waiting(58)
        send(worker, :stray)
        send(worker, :go)

        for _ <- 2..9 do
          assert_receive {:running, ^worker, _}, @at_once
          send(worker, :go)
        end

        assert Task.await_many([first | calls]) == Enum.to_list(1..9)
        # Where the worker found the call by itself, what was to wake it for that may come later.
        assert_receive {:took, messages}
        assert Enum.reject(messages, &upcall?/1) == [:stray]
        Wait.until(fn -> ran.() == 50 end)
      end

      test "none of another library that has called it before, #{name}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        make_known(executor)
        assert Other.await_on(& &1, executor, 1) == 1
        other = assert_not_taken(executor)
        assert Task.await(other, @at_once) == 7
      end

      test "none of a library that calls it for the first time, #{name}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        make_known(executor)
        # By then it is written down that it has.
        other = assert_not_taken(executor, fn -> :sys.get_state(Upcall.Monitor) end)
        assert Task.await(other, @at_once) == 7
      end

      test "none of such a library while Upcall.Monitor has other things to do, #{name}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        make_known(executor)
        :sys.suspend(Upcall.Monitor)
        other = assert_not_taken(executor)
        :sys.resume(Upcall.Monitor)
        assert Task.await(other, @at_once) == 7
      end
    end
  end

  describe "functions that do with their process what they like" do
    # Of three libraries, from frames, pinned bodies and threads; none of the calls has a timeout.
    for {name, child} <- [
          {"a server", Upcall.Server},
          {"a pool", {Upcall.Pool, size: 2, max_queue: 1_000}}
        ] do
      test "lose no call of #{name}" do
        executor = start_supervised!(unquote(Macro.escape(child)))
        {count, ran} = counted()
        calls = if @slow, do: 100, else: 1_000

        callers =
          for library <- [:frame, :pinned, :other], _ <- 1..4 do
            Task.async(fn -> for x <- 1..calls, do: call(library, executor, x) end)
          end

        casts = div(calls, 10)

        meddle_and_count = fn x ->
          meddle(x)
          count.(x)
        end

        caster = Task.async(fn -> cast_paced(meddle_and_count, executor, casts) end)
        for task <- callers, do: assert(Task.await(task, 60_000) == Enum.to_list(1..calls))
        assert Task.await(caster, 60_000) == casts
        Wait.until(fn -> ran.() == casts end)
      end
    end

    defp call(:frame, executor, x), do: Native.call_in_frame(&meddle/1, executor, x)
    defp call(:pinned, executor, x), do: Native.call_in_pinned(&meddle/1, executor, x)
    defp call(:other, executor, x), do: Other.await_on(&meddle/1, executor, x)

    defp cast_paced(f, executor, casts) do
      Enum.count(1..casts, fn _ -> Native.cast_in_frame(f, executor, 1) == 1 end)
    end

    defp meddle(x) do
      case rem(x, 5) do
        0 -> empty_mailbox([])
        1 -> send(self(), :stray)
        2 -> Process.put(:"$callers", x)
        3 -> for(_ <- 1..3, do: send(self(), :upcall_next))
        4 -> receive(do: (message -> message), after: (0 -> :none))
      end

      x
    end
  end

  describe "between two functions, a server that has many to run" do
    setup do
      server = server([])
      make_known(server)
      stop = stopper()
      task = Task.async(fn -> Native.call_in_frame(stop, server, 0) end)
      await_running(0)
      %{server: server, task: task}
    end

    test "answers :sys", %{server: server, task: task} do
      {count, ran} = counted()
      assert Native.cast_in_frame(count, server, 10) == 10
      suspending = Task.async(fn -> :sys.suspend(server) end)
      Wait.until(fn -> has_message?(server, &match?({:system, _from, :suspend}, &1)) end)
      send(server, :go)
      assert Task.await(task) == 0
      assert Task.await(suspending) == :ok
      assert {Upcall.info(Native).waiting, ran.()} == {10, 0}
      :sys.resume(server)
      Wait.until(fn -> ran.() == 10 end)
    end

    test "takes turns with the libraries that call it", %{server: server, task: task} do
      test = self()
      assert Native.cast_in_frame(&send(test, {:native, &1}), server, 50) == 50
      for x <- 1..5, do: assert(Other.cast_on(&send(test, {:other, &1}), server, x))
      send(server, :go)
      assert Task.await(task) == 0
      ran = for _ <- 1..55, do: receive(do: ({library, x} when is_integer(x) -> {library, x}))
      for library <- [:native, :other], do: assert(in_order?(ran, library))
      assert Enum.find_index(ran, &(&1 == {:other, 5})) < 15
    end

    defp in_order?(ran, library) do
      numbers = for {^library, x} <- ran, do: x
      numbers == Enum.sort(numbers)
    end
  end

  describe "a pool" do
    test "replaces a worker that unlinks itself and dies, and goes on" do
      pool = pool(size: 2)

      for round <- 1..10 do
        unlink = fn _ ->
          Process.unlink(pool)
          Process.exit(self(), :kill)
        end

        assert_raise Upcall.ExecutorError, ~r/died while it had the call/, fn ->
          Native.call_in_frame(unlink, pool, 1)
        end

        assert Native.call_in_frame(& &1, pool, round) == round
        assert %{workers: workers, failed: ^round} = Upcall.Pool.info(pool)
        assert Enum.all?(workers, &Process.alive?/1)
      end
    end

    test "outlives a process that links itself to it and ends normally" do
      pool = pool(size: 1)
      {pid, monitor} = spawn_monitor(fn -> Process.link(pool) end)
      assert_receive {:DOWN, ^monitor, :process, ^pid, :normal}
      assert Native.call_in_frame(& &1, pool, 1) == 1
      assert Process.alive?(pool)
    end

    test "ends with a process that is linked to it and crashes, as a server does" do
      for module <- [Upcall.Pool, Upcall.Server] do
        {:ok, executor} = GenServer.start(module, size: 1, max_queue: 1)
        monitor = Process.monitor(executor)

        spawn(fn ->
          Process.link(executor)
          exit(:crash)
        end)

        assert_receive {:DOWN, ^monitor, :process, ^executor, :crash}, @at_once
      end
    end

    test "has another worker run at once what one that is killed was told of, before it is replaced" do
      pool = pool(size: 2)
      make_known(pool)
      workers = Upcall.Pool.info(pool).workers

      # One that has just run a call looks for the next by a message to itself, behind the first of these.
      for worker <- workers, _ <- 1..2, do: :sys.get_state(worker)
      for worker <- [pool | workers], do: :sys.suspend(worker)
      {count, ran} = counted()
      assert Native.cast_in_frame(count, pool, 1) == 1
      [told] = for worker <- workers, has_message?(worker, &upcall?/1), do: worker
      Process.exit(told, :kill)
      for worker <- workers -- [told], do: :sys.resume(worker)
      Wait.until(fn -> ran.() == 1 end)
      :sys.resume(pool)
    end

    test "tells new workers itself that calls wait, also where Upcall.Monitor does not run" do
      Supervisor.terminate_child(Upcall.Supervisor, Upcall.Monitor)
      pool = pool(size: 1)
      stop = stopper()
      first = Task.async(fn -> Native.async_all(stop, pool, 3) end)
      worker = await_running(1)
      Process.exit(worker, :kill)
      for x <- 2..3, do: send(await_running(x), :go)
      assert Task.await(first) == %{"down" => 1, "value" => 2}
    after
      Supervisor.restart_child(Upcall.Supervisor, Upcall.Monitor)
    end

    test "has a worker that was called by its own pid take calls of the pool again" do
      pool = pool(size: 1)
      make_known(pool)
      [worker] = Upcall.Pool.info(pool).workers
      empty = emptier()
      first = Task.async(fn -> Native.call_in_frame(empty, worker, 1) end)
      assert await_running(1) == worker
      second = Task.async(fn -> Native.call_in_frame(& &1, pool, 2) end)
      Wait.until(fn -> has_message?(worker, &upcall?/1) end)
      send(worker, :go)
      assert Task.await_many([first, second]) == [1, 2]
    end

    test "runs in another worker what one that is killed was told of and has not begun" do
      pool = pool(size: 2)
      make_known(pool)
      workers = Upcall.Pool.info(pool).workers
      for worker <- workers, do: :sys.suspend(worker)
      {count, ran} = counted()
      assert Native.cast_in_frame(count, pool, 20) == 20
      [dead, other] = workers
      Process.exit(dead, :kill)
      :sys.resume(other)
      Wait.until(fn -> ran.() == 20 end)
      assert Upcall.info(Native).calls == 0
    end
  end

  describe "casts that are lost with an executor that dies" do
    defp lost, do: Upcall.info(Native).lost_casts

    # What is logged once the monitor has told of the death.
    defp log_of_death(pid, reason) do
      capture_log(fn ->
        Process.exit(pid, reason)
        Wait.until(fn -> not Process.alive?(pid) end)
        Wait.until(fn -> Upcall.info(Native).calls == 0 end)
        :sys.get_state(Upcall.Monitor)
      end)
    end

    test "are counted, and logged once: a server's" do
      {:ok, server} = GenServer.start(Upcall.Server, max_queue: 1_000)
      make_known(server)
      before = lost()
      assert Native.cast_in_frame(stopper(), server, 100) == 100
      await_running(1)
      log = log_of_death(server, :kill)
      assert lost() == before + 100
      assert [_, _] = String.split(log, "died with 100 cast(s) of #{inspect(Native)}")
      assert log =~ inspect(server) and log =~ "killed"
    end

    test "are counted, and logged once: of a server that was not known yet" do
      {:ok, server} = GenServer.start(Upcall.Server, max_queue: 10)
      :sys.suspend(server)
      before = lost()
      assert Native.cast_in_frame(stopper(), server, 100) == 100
      log = log_of_death(server, :kill)
      assert lost() == before + 100
      assert [_, _] = String.split(log, "died with 100 cast(s)")
    end

    test "are counted, and logged once: a pool's" do
      {:ok, pool} = GenServer.start(Upcall.Pool, size: 2, max_queue: 100)
      make_known(pool)
      before = lost()
      assert Native.cast_in_frame(stopper(), pool, 50) == 50
      for x <- 1..2, do: await_running(x)
      log = log_of_death(pool, :kill)
      assert lost() == before + 50
      assert [_, _] = String.split(log, "died with 48 cast(s)")
      assert [_, _, _] = String.split(log, "died with 1 cast(s)")
    end

    test "do not count those that had run, nor calls of others" do
      {:ok, server} = GenServer.start(Upcall.Server, max_queue: 1_000)
      {count, ran} = counted()
      before = lost()
      assert Native.cast_in_frame(count, server, 100) == 100
      Wait.until(fn -> ran.() == 100 end)
      Wait.until(fn -> Upcall.info(Native).calls == 0 end)
      task = Task.async(fn -> Native.async_all(stopper_of(self()), server, 5) end)
      Wait.until(fn -> Upcall.info(Native).waiting == 4 end)
      Process.exit(server, :kill)
      assert Task.await(task) == %{"down" => 5}
      assert lost() == before
    end

    defp stopper_of(pid) do
      fn x ->
        send(pid, {:running, self(), x})
        receive(do: (:go -> x))
      end
    end
  end

  describe "a call that times out says" do
    test "that the process is no executor, where it has never said that it is one" do
      nobody = spawn_link(fn -> Process.sleep(:infinity) end)
      text = Native.text_of_timeout(& &1, nobody)
      assert text =~ "did not answer within 50 ms, and has never said that it is an executor"
      assert text =~ "call an Upcall.Server or an Upcall.Pool"
    end

    test "no such thing of an executor" do
      for executor <- [server([]), pool(size: 1)] do
        make_known(executor)
        stop = stopper()
        task = Task.async(fn -> Native.call_in_frame(stop, executor, 0) end)
        worker = await_running(0)
        text = Native.text_of_timeout(& &1, executor)
        assert text =~ "did not answer within 50 ms; give the call a longer timeout"
        send(worker, :go)
        assert Task.await(task) == 0
      end
    end
  end
end
