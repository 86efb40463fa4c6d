Code.require_file("support/executor.exs", __DIR__)
Code.require_file("support/executor_stress.exs", __DIR__)

defmodule Upcall.ExecutorTest do
  use ExUnit.Case

  alias UpcallTest.Executor, as: Native
  alias UpcallTest.{ChildVM, ExecutorStress, Wait}

  @slow UpcallTest.Machine.slow?()

  # No call that is released by what it waits for takes that long; one that is not does.
  @never 60_000
  @at_once 10_000

  # A test that fails leaves its callers blocked until they time out, but in a schedule of their own.
  @moduletag timeout: 50_000

  setup do
    # Whatever happened, nothing is left of any call once its executors are gone.
    on_exit(fn -> Wait.until(fn -> Upcall.info(Native).calls == 0 end, @at_once) end)
    %{server: start_supervised!(Upcall.Server)}
  end

  # Calls in a process of its own, on a dirty IO scheduler.
  defp call(executor, fun, params \\ [], timeout \\ @never),
    do: Task.async(fn -> Native.apply_io(executor, fun, params, timeout) end)

  defp call_on_thread(executor, fun, params \\ [], timeout \\ @never) do
    Task.async(fn ->
      :ok = Native.apply_thread(executor, fun, params, timeout)
      receive(do: ({:thread, outcome} -> outcome))
    end)
  end

  # The three ways to wait.
  defp ways do
    [
      dirty_io: &call/4,
      thread: &call_on_thread/4,
      frame: fn executor, fun, params, timeout ->
        Task.async(fn -> Native.apply_frame(executor, fun, params, timeout) end)
      end
    ]
  end

  defp await_at_once(task), do: Task.await(task, @at_once)

  # A function that tells the test where it runs, and waits for `:go`.
  defp stopper do
    test = self()

    fn ->
      send(test, {:running, self()})
      receive(do: (:go -> :went))
    end
  end

  # They wait in the library, and in no mailbox.
  defp await_queued(count \\ 1),
    do: Wait.until(fn -> Upcall.info(Native).waiting == count end)

  defp assert_no_calls, do: Wait.until(fn -> Upcall.info(Native).calls == 0 end)

  describe "a call gives" do
    for way <- [:dirty_io, :thread, :frame] do
      test "whatever its function did (#{way})", %{server: server} do
        call = ways()[unquote(way)]
        outcome = &await_at_once(call.(server, &1, &2, @never))

        assert outcome.(fn a, b -> {a, b} end, [1, "two"]) == {:ok, {1, "two"}}

        assert outcome.(fn -> raise KeyError, key: :k, term: %{} end, []) ==
                 {:error, {:exception, %KeyError{key: :k, term: %{}}}}

        assert outcome.(fn -> :erlang.error(:badarith) end, []) ==
                 {:error, {:exception, %ArithmeticError{}}}

        assert outcome.(fn -> exit({:shutdown, 1}) end, []) == {:error, {:exit, {:shutdown, 1}}}
        assert outcome.(fn -> throw([1]) end, []) == {:error, {:throw, [1]}}

        assert {:error, {:exception, %BadArityError{}}} = outcome.(fn -> 1 end, [1])
        assert outcome.(fn -> self() end, []) == {:ok, server}
      end

      test ":timeout when its time is over (#{way})", %{server: server} do
        call = ways()[unquote(way)]
        task = call.(server, stopper(), [], 500)
        assert_receive {:running, ^server}, @at_once
        assert await_at_once(task) == {:error, :timeout}
        send(server, :go)
        assert await_at_once(call.(server, fn -> :next end, [], @never)) == {:ok, :next}
      end

      test ":noproc where the executor does not run (#{way})" do
        call = ways()[unquote(way)]
        {dead, reference} = spawn_monitor(fn -> :ok end)
        assert_receive {:DOWN, ^reference, :process, ^dead, _}

        for executor <- [UpcallTest.NeverStarted, dead] do
          assert await_at_once(call.(executor, fn -> 1 end, [], @never)) == {:error, :noproc}
        end
      end

      test "{:down, reason} when the executor dies in the function (#{way})" do
        call = ways()[unquote(way)]

        for {reason, told} <- [kill: :killed, boom: :boom, shutdown: :shutdown] do
          {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
          task = call.(executor, stopper(), [], @never)
          assert_receive {:running, ^executor}, @at_once
          Process.exit(executor, reason)
          assert await_at_once(task) == {:error, {:down, told}}
        end
      end

      test "{:down, reason} when the executor dies before the function (#{way})" do
        call = ways()[unquote(way)]
        {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
        :sys.suspend(executor)
        task = call.(executor, fn -> flunk("it never ran") end, [], @never)
        await_queued()
        Process.exit(executor, :kill)
        assert await_at_once(task) == {:error, {:down, :killed}}
      end
    end

    for way <- [:dirty_io, :frame] do
      test ":calling_self in the executor itself (#{way})", %{server: server} do
        inner = fn ->
          case unquote(way) do
            :dirty_io -> Native.apply_io(server, fn -> 1 end, [], @never)
            :frame -> Native.apply_frame(server, fn -> 1 end, [], @never)
          end
        end

        assert await_at_once(call(server, inner)) == {:ok, {:error, :calling_self}}
      end
    end

    @tag :slow
    test "5 seconds to its function where nobody says, and more where they do", %{server: server} do
      assert await_at_once(call(server, fn -> 1 end, [], :default)) == {:ok, 1}
      assert await_at_once(call(server, fn -> 1 end, [], :infinity)) == {:ok, 1}
      task = call(server, stopper(), [], :default)
      assert_receive {:running, ^server}
      started = System.monotonic_time(:millisecond)
      assert Task.await(task, 30_000) == {:error, :timeout}
      assert System.monotonic_time(:millisecond) - started > 4_000
      send(server, :go)
    end

    test "the stack trace of the raise, for who asks", %{server: server} do
      {fun, line} = {fn -> raise "here" end, __ENV__.line}
      assert [{__MODULE__, name, 0, location} | _] = Native.stack_trace(server, fun)
      assert to_string(name) =~ "stack trace of the raise"
      assert location[:line] == line
    end

    test "an exception in C++ that comes out of the NIF as what it is", %{server: server} do
      assert Native.value(server, fn -> 1 end) == 1

      assert_raise KeyError, fn ->
        Native.value(server, fn -> Map.fetch!(Process.get(:none, %{}), 1) end)
      end

      assert_raise ErlangError, ~r/:exit, :left/, fn ->
        Native.value(server, fn -> exit(:left) end)
      end

      assert_raise ErlangError, ~r/:nocatch, :ball/, fn ->
        Native.value(server, fn -> throw(:ball) end)
      end

      error =
        assert_raise Upcall.ExecutorError, ~r/UpcallTest.NeverStarted is not running/, fn ->
          Native.value(UpcallTest.NeverStarted, fn -> 1 end)
        end

      assert %{reason: :noproc, executor: UpcallTest.NeverStarted} = error
    end

    test "what a kept function returns for typed parameters", %{server: server} do
      assert Native.apply_typed(server, &(&1 * 2), 21) == 42
    end
  end

  describe "an ArgumentError names" do
    for {argument, executor, fun, params} <- [
          {"pid_or_name", "\"name\"", "fn -> 1 end", "[]"},
          {"pid_or_name", "{:global, :name}", "fn -> 1 end", "[]"},
          {"pid_or_name", "make_ref()", "fn -> 1 end", "[]"},
          {"fun", "self()", ":fun", "[]"},
          {"fun", "self()", "{Kernel, :self}", "[]"},
          {"params", "self()", "fn -> 1 end", ":none"},
          {"params", "self()", "fn -> 1 end", "[1 | 2]"},
          {"params", "self()", "fn -> 1 end", "{1}"}
        ] do
      test "#{argument} of apply(#{executor}, #{fun}, #{params})" do
        [executor, fun, params] =
          for code <- unquote([executor, fun, params]), do: elem(Code.eval_string(code), 0)

        assert_raise ArgumentError, ~r/^upcall::apply: #{unquote(argument)}: expected a/, fn ->
          Native.apply_io(executor, fun, params, 1_000)
        end

        refute_received {:upcall, _, _}
      end
    end
  end

  describe "waiting is refused" do
    test "on a normal scheduler, and the error says what to do", %{server: server} do
      assert_raise RuntimeError, ~r/normal scheduler.*dirty_io, or make it a frame/, fn ->
        Native.apply_normal(server, fn -> flunk("it never ran") end, [], 1_000)
      end
    end

    test "on a dirty CPU scheduler, and the error says what to do", %{server: server} do
      assert_raise RuntimeError, ~r/dirty CPU scheduler.*dirty_io, or make it a frame/, fn ->
        Native.apply_cpu(server, fn -> flunk("it never ran") end, [], 1_000)
      end
    end

    # Why: a library that waits there all the same, by a thread of its own.
    @tag :slow
    test "as two dirty CPU schedulers that wait for large collections do so for ever" do
      code = """
      main = self()

      # Both run before either makes its list.
      make_list = fn ->
        send(main, {:running, self()})
        receive(do: (:go -> length(Enum.to_list(1..1_000_000))))
      end

      outcomes = fn wait, timeout ->
        servers = for _ <- 1..2, do: elem(Upcall.Server.start_link(), 1)
        tasks = for server <- servers, do: Task.async(fn -> wait.(server, make_list, [], timeout) end)
        for server <- servers, do: receive(do: ({:running, ^server} -> :ok))
        for server <- servers, do: send(server, :go)
        Task.await_many(tasks, 90_000)
      end

      IO.inspect(outcomes.(&UpcallTest.Executor.io_waits/4, 60_000), label: "io")
      # The one that gives up first may free the other.
      IO.inspect({:error, :timeout} in outcomes.(&UpcallTest.Executor.cpu_waits/4, 3_000), label: "cpu waits")
      """

      {output, 0} = child(code, "+SDcpu 2:2")
      assert output =~ "io: [ok: 1000000, ok: 1000000]"
      assert output =~ "cpu waits: true"
    end
  end

  describe "with two dirty IO schedulers" do
    test "50 calls block no more than one of them, and frames beside them go on" do
      code = """
      alias UpcallTest.Executor
      {:ok, server} = Upcall.Server.start_link()
      main = self()
      stopper = fn -> send(main, {:running, self()}); receive(do: (:go -> :went)) end
      first = Task.async(fn -> Executor.apply_io(server, stopper, [], 60_000) end)
      receive(do: ({:running, ^server} -> :ok))

      # All dirty IO schedulers but the last wait: the others are told, and files can be read.
      refused = for _ <- 1..49, do: Task.async(fn -> Executor.apply_io(server, fn -> 1 end, [], 60_000) end)
      IO.inspect(Enum.frequencies(Task.await_many(refused, 20_000)), label: "refused")
      IO.inspect(match?({:ok, _}, :file.read_file("mix.exs")), label: "file")

      frames = for n <- 1..50, do: Task.async(fn -> Executor.apply_frame(server, fn x -> x end, [n], 60_000) end)
      send(server, :go)
      IO.inspect(Task.await(first, 20_000), label: "first")
      IO.inspect(Task.await_many(frames, 20_000) == Enum.map(1..50, &{:ok, &1}), label: "frames")

      # The place is free again.
      IO.inspect(Executor.apply_io(server, fn -> :free end, [], 60_000), label: "after")

      # All at once, and nobody waits first.
      tasks = for _ <- 1..50, do: Task.async(fn -> Executor.apply_io(server, fn -> :ok end, [], 60_000) end)
      outcomes = Enum.uniq(Task.await_many(tasks, 20_000))
      IO.inspect(outcomes -- [ok: :ok, error: :overloaded], label: "other outcomes")
      """

      {output, 0} = child(code, "+SDio 2")
      assert output =~ "refused: %{{:error, :overloaded} => 49}"
      assert output =~ "file: true"
      assert output =~ "first: {:ok, :went}"
      assert output =~ "frames: true"
      assert output =~ "after: {:ok, :free}"
      assert output =~ "other outcomes: []"
    end
  end

  test "as many calls as there are dirty IO schedulers leave the last one free", %{server: server} do
    schedulers = :erlang.system_info(:dirty_io_schedulers)
    :sys.suspend(server)
    waiting = for _ <- 1..(schedulers - 1), do: call(server, fn -> :ran end)
    await_queued(schedulers - 1)

    assert await_at_once(call(server, fn -> 1 end)) == {:error, :overloaded}
    assert {:ok, _} = :file.read_file("mix.exs")

    # A native thread and a frame are no matter of theirs, and the answers need no dirty scheduler.
    others = [
      call_on_thread(server, fn -> :thread end),
      ways()[:frame].(server, fn -> :frame end, [], @never)
    ]

    await_queued(schedulers + 1)
    :sys.resume(server)
    assert Enum.map(waiting, &await_at_once/1) == List.duplicate({:ok, :ran}, schedulers - 1)
    assert Enum.map(others, &await_at_once/1) == [{:ok, :thread}, {:ok, :frame}]
  end

  # Were the reply NIF dirty, it would wait for those that wait for it.
  test "a call is answered while every dirty IO scheduler is taken", %{server: server} do
    schedulers = :erlang.system_info(:dirty_io_schedulers)
    blocked = for _ <- 1..schedulers, do: blocked_io_scheduler()
    Wait.until(fn -> Enum.all?(blocked, &match?({:ok, :running}, &1.started?.())) end)
    assert await_at_once(call_on_thread(server, fn -> :answered end)) == {:ok, :answered}
    Enum.each(blocked, & &1.free.())
  end

  # One that waits for a thread's call to a server of its own.
  defp blocked_io_scheduler do
    {:ok, own} = GenServer.start_link(Upcall.Server, max_queue: 1_000)
    test = self()
    reference = make_ref()

    fun = fn ->
      send(test, {:started, reference})
      receive(do: (:go -> :ok))
    end

    task = Task.async(fn -> Native.io_waits(own, fun, [], @never) end)

    %{
      started?: fn ->
        receive do
          {:started, ^reference} ->
            send(self(), {:started, reference})
            {:ok, :running}
        end
      end,
      free: fn ->
        send(own, :go)
        assert await_at_once(task) == {:ok, :ok}
      end
    }
  end

  describe "a call that timed out" do
    for way <- [:dirty_io, :thread, :frame] do
      test "before it began never runs (#{way})", %{server: server} do
        test = self()
        call = ways()[unquote(way)]
        :sys.suspend(server)
        tasks = for n <- 1..8, do: call.(server, fn -> send(test, {:ran, n}) end, [], n)
        for task <- tasks, do: assert(await_at_once(task) == {:error, :timeout})
        last = call.(server, fn -> :last end, [], @never)
        await_queued(9)
        :sys.resume(server)
        assert await_at_once(last) == {:ok, :last}
        refute_received {:ran, _}
        assert_no_calls()
      end
    end

    # The race: the time is over while the answer is on its way.
    test "drops its answer, 10,000 times at random around it", %{server: server} do
      calls = if @slow, do: 3_000, else: 10_000
      ran = :counters.new(1, [])

      fun = fn x ->
        :counters.add(ran, 1, 1)
        # Some take longer than any timeout of theirs.
        if rem(x, 100) == 0, do: busy(2_000)
        x
      end

      ExecutorStress.crowd(server, fun, 4, div(calls, 4), 200)
      assert_receive {:crowd, counts}, 40_000
      assert counts.lies == 0
      assert counts.returned + counts.timed_out == calls
      assert counts.timed_out > 0
      assert :counters.get(ran, 1) in counts.returned..calls
      assert await_at_once(call(server, fn -> :fine end)) == {:ok, :fine}

      Wait.until(fn -> Upcall.info(ExecutorStress).calls == 0 end)
    end
  end

  defp busy(microseconds) do
    finish = System.monotonic_time(:microsecond) + microseconds
    busy_until(finish)
  end

  defp busy_until(finish),
    do: if(System.monotonic_time(:microsecond) < finish, do: busy_until(finish))

  describe "a forged answer is an ArgumentError:" do
    # The test is the executor, and so has the link and takes the call.
    defp link_of_call(params \\ [], timeout \\ @never) do
      task = call(self(), fn -> :never end, params, timeout)
      # The message may come before the call.
      assert_receive {:upcall, Native, link}, @at_once
      await_queued()
      {task, link}
    end

    defp take(link), do: tell(link, :take, {10, 1})

    defp begun_call(params \\ [], timeout \\ @never) do
      {task, link} = link_of_call(params, timeout)
      assert {number, caller, fun, ^params} = take(link)
      assert caller == task.pid and is_function(fun, 0)
      {task, link, number}
    end

    defp tell(link, word, content), do: Native.__upcall_tell__(link, word, content)

    test "before the call has begun" do
      {task, link} = link_of_call()

      for number <- 0..3, word <- [:returned, :raised, :lost] do
        assert_raise ArgumentError, fn -> tell(link, word, {number, 1}) end
      end

      assert {number, _, _, _} = take(link)
      assert tell(link, :returned, {number, :true_one}) == {:ok, false}
      assert await_at_once(task) == {:ok, :true_one}
    end

    test "a second time" do
      {task, link, number} = begun_call()
      assert take(link) == :none
      assert tell(link, :returned, {number, 1}) == {:ok, false}

      for word <- [:returned, :raised, :lost] do
        assert_raise ArgumentError, fn -> tell(link, word, {number, 2}) end
      end

      assert take(link) == :none
      assert await_at_once(task) == {:ok, 1}
    end

    test "with another call's number, or none" do
      {task, link, number} = begun_call()

      for wrong <- [nil, number, {number}, {number + 1, 1}, {-1, 1}, {1.0, 1}, {number, 1, 1}] do
        for word <- [:returned, :raised, :lost] do
          assert_raise ArgumentError, fn -> tell(link, word, wrong) end
        end
      end

      assert tell(link, :returned, {number, 1}) == {:ok, false}
      assert await_at_once(task) == {:ok, 1}
    end

    test "of a call that timed out, which is not to be taken any more" do
      {task, link} = link_of_call([], 100)
      assert await_at_once(task) == {:error, :timeout}
      assert take(link) == :none
    end

    test "of a call that timed out while it ran, after the one that is dropped" do
      {task, link, number} = begun_call([], 500)
      assert await_at_once(task) == {:error, :timeout}
      assert tell(link, :returned, {number, 1}) == {:dropped, false}
      assert_raise ArgumentError, fn -> tell(link, :returned, {number, 1}) end
    end

    test "by another process than the one that was asked" do
      {task, link} = link_of_call()

      other = fn word, content ->
        Task.await(Task.async(fn -> catch_error(tell(link, word, content)) end))
      end

      assert %ArgumentError{} = other.(:take, {10, 1})
      assert %ArgumentError{} = other.(:look, nil)
      assert %ArgumentError{} = other.(:workers, {[self()], 1})
      assert {number, _, _, _} = take(link)

      for word <- [:returned, :raised, :lost],
          do: assert(%ArgumentError{} = other.(word, {number, 1}))

      assert tell(link, :returned, {number, 7}) == {:ok, false}
      assert await_at_once(task) == {:ok, 7}
    end

    test "with a word that there is not" do
      {task, link, number} = begun_call()

      for word <- [:killed, "take", nil, 1],
          do: assert_raise(ArgumentError, fn -> tell(link, word, {number, 1}) end)

      assert tell(link, :returned, {number, 1}) == {:ok, false}
      assert await_at_once(task) == {:ok, 1}
    end

    test "with what is no link of this library" do
      for term <- [make_ref(), 1, nil, self(), "link"], word <- [:take, :returned, :down] do
        assert_raise ArgumentError, fn -> tell(term, word, {1, 1}) end
      end
    end

    test "with an outcome that is none, and the caller is told so" do
      for wrong <- [nil, [], [:error], [[:error, 1]], [[:error, 1, nil | :none]], {:error, 1}] do
        {%Task{ref: monitor} = task, link, number} = begun_call()
        Process.unlink(task.pid)
        assert tell(link, :raised, {number, wrong}) == {:ok, false}
        # In the NIF that waits for it.
        assert_receive {:DOWN, ^monitor, :process, _, {%ArgumentError{}, _}}, @at_once
      end
    end

    test "with a capacity, or members of a pool, that are none" do
      {task, link} = link_of_call()

      for wrong <- [nil, {}, {10}, {-1, 1}, {:many, 1}, {10, 1, 1}],
          do: assert_raise(ArgumentError, fn -> tell(link, :take, wrong) end)

      for wrong <- [nil, {}, {[1], 1}, {:none, 1}, {[self()], -1}, {[self()], 1, 1}],
          do: assert_raise(ArgumentError, fn -> tell(link, :workers, wrong) end)

      assert {number, _, _, _} = take(link)
      assert tell(link, :returned, {number, 1}) == {:ok, false}
      assert await_at_once(task) == {:ok, 1}
    end
  end

  describe "an executor that dies" do
    test "after its function is not missed by who was answered" do
      for _ <- 1..20 do
        {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
        assert await_at_once(call(executor, fn -> :answered end)) == {:ok, :answered}
        Process.exit(executor, :kill)
        Wait.until(fn -> not Process.alive?(executor) end)
        assert await_at_once(call(executor, fn -> 1 end)) == {:error, :noproc}
      end
    end

    test "by the hand of its function tells so" do
      {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)

      assert await_at_once(call(executor, fn -> Process.exit(self(), :kill) end)) ==
               {:error, {:down, :killed}}
    end

    test "releases all who wait for it, wherever they do" do
      {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
      first = call(executor, stopper())
      assert_receive {:running, ^executor}

      others =
        for _ <- 1..3,
            {_, way} <- ways(),
            way != (&call/4),
            do: way.(executor, fn -> 1 end, [], @never)

      await_queued(length(others))
      Process.exit(executor, :kill)

      for task <- [first | others] do
        assert await_at_once(task) == {:error, {:down, :killed}}
      end

      assert_no_calls()
    end

    test "is followed under its name by the next one" do
      name = UpcallTest.Reregistered
      {:ok, first} = GenServer.start(Upcall.Server, [max_queue: 1_000], name: name)
      assert await_at_once(call(name, fn -> self() end)) == {:ok, first}
      task = call(name, stopper())
      assert_receive {:running, ^first}
      Process.exit(first, :kill)
      assert await_at_once(task) == {:error, {:down, :killed}}

      assert await_at_once(call(name, fn -> 1 end)) == {:error, :noproc}
      {:ok, second} = GenServer.start(Upcall.Server, [max_queue: 1_000], name: name)
      assert await_at_once(call(name, fn -> self() end)) == {:ok, second}

      # Nobody dies, the name just moves.
      Process.unregister(name)
      {:ok, third} = GenServer.start(Upcall.Server, [max_queue: 1_000], name: name)
      assert await_at_once(call(name, fn -> self() end)) == {:ok, third}
      Enum.each([second, third], &GenServer.stop/1)
    end

    # The race: the executor dies while calls are on their way to it, and its answers on theirs.
    test "at any moment tells the truth to each who waits, at once" do
      rounds = if @slow, do: 30, else: 150

      for round <- 1..rounds do
        {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)

        tasks =
          for n <- 1..6 do
            {_, way} = Enum.at(ways(), rem(n, 3))
            way.(executor, fn x -> x end, [n], @never)
          end

        for _ <- 1..rem(round * 37, 400)//1, do: :erlang.yield()
        Process.exit(executor, :kill)

        for {task, n} <- Enum.with_index(tasks, 1) do
          assert await_at_once(task) in [{:ok, n}, {:error, :noproc}, {:error, {:down, :killed}}]
        end
      end

      assert_no_calls()
    end
  end

  describe "Upcall.Monitor" do
    # It is restarted by its supervisor, not too often.
    test "killed meanwhile does not keep a call from being released" do
      {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
      task = call(executor, stopper())
      assert_receive {:running, ^executor}
      kill_monitor()
      Process.exit(executor, :kill)
      assert await_at_once(task) == {:error, {:down, :unknown}}

      # The next one has a reason again.
      {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
      task = call(executor, stopper())
      assert_receive {:running, ^executor}
      Process.exit(executor, :boom)
      assert await_at_once(task) == {:error, {:down, :boom}}
    end

    test "killed between two calls is asked anew for the reason" do
      {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
      assert await_at_once(call(executor, fn -> 1 end)) == {:ok, 1}
      kill_monitor()
      task = call(executor, stopper())
      assert_receive {:running, ^executor}
      # The new one did not see the executor start: it has to have been asked.
      :sys.get_state(Upcall.Monitor)
      Process.exit(executor, :boom)
      assert await_at_once(task) == {:error, {:down, :boom}}
    end

    test "not there at all leaves calls without a reason, but released" do
      Supervisor.terminate_child(Upcall.Supervisor, Upcall.Monitor)
      {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)
      task = call(executor, stopper())
      assert_receive {:running, ^executor}
      before = Process.info(executor, :monitored_by)
      assert Enum.map(1..5, fn _ -> Native.apply_thread(executor, fn -> 1 end, [], 0) end)
      await_queued(5)
      assert Process.info(executor, :monitored_by) == before
      Process.exit(executor, :boom)
      assert await_at_once(task) == {:error, {:down, :unknown}}
    after
      Supervisor.restart_child(Upcall.Supervisor, Upcall.Monitor)
    end

    defp kill_monitor do
      old = Process.whereis(Upcall.Monitor)
      Process.exit(old, :kill)
      Wait.until(fn -> Process.whereis(Upcall.Monitor) not in [nil, old] end)
    end
  end

  test "a library monitors an executor once, for all calls", %{server: server} do
    assert await_at_once(call(server, fn -> 1 end)) == {:ok, 1}
    {:monitored_by, before} = Process.info(server, :monitored_by)

    for {_, way} <- ways(), _ <- 1..200 do
      assert await_at_once(way.(server, fn -> 1 end, [], @never)) == {:ok, 1}
    end

    {:monitored_by, afterwards} = Process.info(server, :monitored_by)
    assert Enum.sort(afterwards) == Enum.sort(before)
  end

  describe "a process that is killed while it waits on a dirty IO scheduler" do
    test "leaves the scheduler free, and the answer is dropped", %{server: server} do
      for _ <- 1..20 do
        {caller, monitor} =
          (fn f -> spawn_monitor(fn -> Native.apply_io(server, f, [], @never) end) end).(
            stopper()
          )

        assert_receive {:running, ^server}, @at_once

        # By now it has slept through the time in which nobody looks after the caller, or is in it.
        assert Native.applying() == 1
        Process.exit(caller, :kill)
        assert_receive {:DOWN, ^monitor, :process, ^caller, :killed}, @at_once
        Wait.until(fn -> Native.applying() == 0 end, @at_once)
        send(server, :go)
        assert await_at_once(call(server, fn -> :next end)) == {:ok, :next}
      end

      assert_no_calls()
    end

    test "before its call began, and that never runs", %{server: server} do
      test = self()
      :sys.suspend(server)

      {caller, monitor} =
        spawn_monitor(fn -> Native.apply_io(server, fn -> send(test, :ran) end, [], @never) end)

      await_queued()
      Process.exit(caller, :kill)
      assert_receive {:DOWN, ^monitor, :process, ^caller, :killed}, @at_once
      Wait.until(fn -> Native.applying() == 0 end, @at_once)
      :sys.resume(server)
      assert await_at_once(call(server, fn -> :next end)) == {:ok, :next}
      refute_received :ran
      assert_no_calls()
    end

    # The race: the first of an executor's callers dies while it sees to it that the reason of the
    # executor's death is told.
    test "at any moment leaves the executor's death to be told to others" do
      for round <- 1..if(@slow, do: 30, else: 150) do
        {:ok, executor} = GenServer.start(Upcall.Server, max_queue: 1_000)

        {caller, monitor} =
          spawn_monitor(fn -> Native.apply_io(executor, fn -> 1 end, [], @never) end)

        for _ <- 1..rem(round, 30)//1, do: :erlang.yield()
        Process.exit(caller, :kill)
        assert_receive {:DOWN, ^monitor, :process, ^caller, _}, @at_once
        task = call_on_thread(executor, stopper())
        assert_receive {:running, ^executor}, @at_once
        Process.exit(executor, :boom)
        assert await_at_once(task) == {:error, {:down, :boom}}
      end
    end

    # The race: it dies while its answer comes.
    test "at any moment leaks nothing", %{server: server} do
      for round <- 1..if(@slow, do: 50, else: 300) do
        {caller, monitor} =
          spawn_monitor(fn -> Native.apply_io(server, fn -> 1 end, [], @never) end)

        for _ <- 1..rem(round, 60)//1, do: :erlang.yield()
        Process.exit(caller, :kill)
        assert_receive {:DOWN, ^monitor, :process, ^caller, _}, @at_once
      end

      Wait.until(fn -> Native.applying() == 0 end, @at_once)
      assert_no_calls()
    end
  end

  describe "values of every size go there and back:" do
    values = [
      "a binary of 10 MB": quote(do: :binary.copy("0123456789", 1_000_000)),
      "a list of a million elements": quote(do: Enum.to_list(1..1_000_000)),
      "a function": quote(do: &String.upcase/1),
      "a closure": quote(do: Function.identity(fn x -> {x, __MODULE__} end)),
      "a reference": quote(do: make_ref()),
      "a bignum": quote(do: 7 ** 10_000),
      "a pid in a map": quote(do: %{self() => [self()]}),
      "a bit string": quote(do: <<1::3>>)
    ]

    for {name, value} <- values do
      test "#{name}", %{server: server} do
        value = unquote(value)

        for {_, way} <- ways() do
          assert await_at_once(way.(server, & &1, [value], @never)) == {:ok, value}
        end
      end
    end
  end

  test "calls of one thread run in their order, each in the executor", %{server: server} do
    ExecutorStress.crowd(server, &record/1, 1, 1_000, 0)
    assert_receive {:crowd, %{returned: 1_000, lies: 0}}, 20_000

    assert await_at_once(call(server, fn -> Process.get(:seen) end)) ==
             {:ok, Enum.to_list(999..0//-1)}
  end

  defp record(x) do
    Process.put(:seen, [x | Process.get(:seen, [])])
    x
  end

  # Evaluates code in a VM of its own, with these flags of `erl`.
  defp child(code, flags) do
    start = "{:ok, _} = Application.ensure_all_started(:upcall)\n"
    ChildVM.run(start <> code, flags: flags, require: ["support/executor.exs"])
  end
end
