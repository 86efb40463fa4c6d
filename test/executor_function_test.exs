Code.require_file("support/executor_function.exs", __DIR__)

defmodule Upcall.ExecutorFunctionTest do
  use ExUnit.Case

  import ExUnit.CaptureLog

  alias UpcallTest.ExecutorFunction, as: Native
  alias UpcallTest.{Hidden, Wait}

  @slow UpcallTest.Machine.slow?()
  @at_once 10_000

  setup do
    on_exit(fn ->
      Wait.until_no_frames(Native)
      assert Upcall.info(Native).parked == 0
      Wait.until(fn -> Upcall.info(Native).calls == 0 end, @at_once)
    end)

    %{server: start_supervised!(Upcall.Server)}
  end

  defp await_value do
    assert_receive {:thread, value}, @at_once
    value
  end

  defp assert_empty_mailbox,
    do: assert(Process.info(self(), :messages) == {:messages, []})

  # They wait in the library, and in no mailbox.
  defp await_queued(count),
    do: Wait.until(fn -> Upcall.info(Native).waiting == count end)

  # In the executor: tells the test, and waits for `:go`.
  defp stopper do
    test = self()

    fn x ->
      send(test, {:running, self()})
      receive(do: (:go -> x))
    end
  end

  describe "in a frame, a function of an executor" do
    test "runs there, and gives its value", %{server: server} do
      assert Native.call_on(fn x -> if self() == server, do: x * 2 end, server, 21, 60_000) == 42
      assert_empty_mailbox()
    end

    test "may be void, whatever it returns", %{server: server} do
      test = self()
      assert Native.void_on(&send(test, {:got, &1}), server, 5) == "done"
      for _ <- 1..3, do: assert_receive({:got, 5})
    end

    test "raises what it raised, with its stack trace", %{server: server} do
      f = fn x -> Map.fetch!(%{1 => 1}, x) end
      assert_raise KeyError, fn -> Native.call_on(f, server, 2, 60_000) end
      assert catch_exit(Native.call_on(fn _ -> exit(:left) end, server, 1, 60_000)) == :left
      assert catch_throw(Native.call_on(fn _ -> throw(:ball) end, server, 1, 60_000)) == :ball

      stack_trace =
        try do
          Native.call_on(fn _ -> raise "deep" end, server, 1, 60_000)
        rescue
          RuntimeError -> __STACKTRACE__
        end

      assert Enum.any?(stack_trace, &match?({__MODULE__, _, 1, _}, &1))
    end

    test "says what it returned where that is no R", %{server: server} do
      message = ~r/: executor #PID<.*>: expected an integer.* from the function, got: "no"/

      assert_raise ArgumentError, message, fn ->
        Native.call_on(fn _ -> "no" end, server, 1, 60_000)
      end

      message = ~r/: in what the function returned: element 2: expected an integer.*, got: nil/

      assert_raise ArgumentError, message, fn ->
        Native.map_on(fn x -> if x != 2, do: x end, server, [1, 2, 3])
      end
    end

    test "says whether it had begun, so that it can be tried again where not", %{server: server} do
      begun? = fn f, executor ->
        assert_raise(Upcall.ExecutorError, fn -> Native.call_on(f, executor, 1, 50) end).begun
      end

      assert begun?.(stopper(), server)
      assert_receive {:running, ^server}
      # It is still running, so that this one waits behind it.
      refute begun?.(fn _ -> flunk("it never runs") end, server)
      send(server, :go)

      assert begun?.(fn _ -> Process.exit(self(), :kill) end, start_supervised!(Upcall.Pool))
      refute begun?.(fn _ -> 1 end, Demo.Nobody)
    end

    test "gives an Upcall.ExecutorError that says what to do", %{server: server} do
      error =
        assert_raise Upcall.ExecutorError, ~r/did not answer within 20 ms; give/, fn ->
          Native.call_on(stopper(), server, 1, 20)
        end

      assert %{reason: :timeout, executor: ^server} = error
      send(server, :go)

      error =
        assert_raise Upcall.ExecutorError, ~r/Demo.Nobody is not running; add it/, fn ->
          Native.call_on(& &1, Demo.Nobody, 1, 20)
        end

      assert %{reason: :noproc, executor: Demo.Nobody} = error

      assert_raise Upcall.ExecutorError, ~r/is the process that makes the call/, fn ->
        Native.call_on(& &1, self(), 1, 20)
      end
    end

    test "leaves the caller's other messages alone", %{server: server} do
      for n <- 1..1_000, do: send(self(), {:other, n})
      assert Native.call_on(& &1, server, 1, 60_000) == 1
      assert_raise Upcall.ExecutorError, fn -> Native.call_on(stopper(), server, 1, 5) end
      assert_receive {:running, ^server}
      send(server, :go)
      assert for(n <- 1..1_000, do: receive(do: ({:other, ^n} -> n))) == Enum.to_list(1..1_000)
      assert_empty_mailbox()
    end

    # The race: its time is over while the message that wakes the frame is sent.
    @tag :slow
    test "leaves nothing in the mailbox when its time is over, at any moment", %{server: server} do
      count = if @slow, do: 300, else: 3_000

      sometimes_late = fn x ->
        finish = System.monotonic_time(:microsecond) + rem(x * 7, 24) * 100
        spin(finish)
        x
      end

      answered = Native.race_on(sometimes_late, server, count)
      assert answered in 1..(count - 1)
      assert Native.call_on(& &1, server, 1, 60_000) == 1
      assert_empty_mailbox()
    end

    test "has its kind of error in C++", %{server: server} do
      kinds = ~w(value raised exited threw timed_out down no_executor calling_self)a
      numbers = kinds |> Enum.with_index(-1) |> Map.new()

      kind = fn f, executor, timeout ->
        {number, text} = Native.kind_on(f, executor, timeout)
        {number, text}
      end

      assert kind.(& &1, server, 60_000) == {numbers.value, "1"}
      assert {number, "** (RuntimeError) text"} = kind.(fn _ -> raise "text" end, server, 60_000)
      assert number == numbers.raised
      assert {number, "** (exit) :text"} = kind.(fn _ -> exit(:text) end, server, 60_000)
      assert number == numbers.exited
      assert {number, "** (throw) :text"} = kind.(fn _ -> throw(:text) end, server, 60_000)
      assert number == numbers.threw
      assert {number, _} = kind.(stopper(), server, 5)
      assert number == numbers.timed_out
      send(server, :go)
      {:ok, dying} = GenServer.start(Upcall.Server, max_queue: 1_000)
      assert {number, text} = kind.(fn _ -> Process.exit(self(), :kill) end, dying, 60_000)
      assert {number, text =~ "died while it had the call: :killed"} == {numbers.down, true}
      assert {number, _} = kind.(& &1, dying, 60_000)
      assert number == numbers.no_executor
      assert {number, _} = kind.(& &1, self(), 60_000)
      assert number == numbers.calling_self
    end
  end

  defp spin(finish),
    do: if(System.monotonic_time(:microsecond) < finish, do: spin(finish))

  describe "a frame that is killed while it waits" do
    test "is finished, and the answer is dropped", %{server: server} do
      for _ <- 1..20 do
        fun = stopper()
        {caller, ref} = spawn_monitor(fn -> Native.call_on(fun, server, 1, 60_000) end)
        assert_receive {:running, ^server}, @at_once
        Process.exit(caller, :kill)
        assert_receive {:DOWN, ^ref, :process, ^caller, :killed}, @at_once
        Wait.until_no_frames(Native)
        send(server, :go)
        assert Native.call_on(& &1, server, 1, 60_000) == 1
      end
    end

    test "before its call began, has that never run", %{server: server} do
      test = self()
      :sys.suspend(server)
      fun = fn _ -> send(test, :ran) end

      callers =
        for _ <- 1..10, do: spawn_monitor(fn -> Native.call_on(fun, server, 1, 60_000) end)

      await_queued(10)
      for {pid, _} <- callers, do: Process.exit(pid, :kill)

      for {pid, ref} <- callers,
          do: assert_receive({:DOWN, ^ref, :process, ^pid, :killed}, @at_once)

      Wait.until_no_frames(Native)
      :sys.resume(server)
      assert Native.call_on(& &1, server, 1, 60_000) == 1
      refute_received :ran
    end

    test "with many futures under way leaves none of them", %{server: server} do
      fun = stopper()
      {caller, ref} = spawn_monitor(fn -> Native.many_on(fun, server, 100) end)
      assert_receive {:running, ^server}, @at_once
      await_queued(99)
      Process.exit(caller, :kill)
      assert_receive {:DOWN, ^ref, :process, ^caller, :killed}, @at_once
      Wait.until_no_frames(Native)
      send(server, :go)
      assert Native.call_on(& &1, server, 1, 60_000) == 1
      refute_received {:running, _}
    end
  end

  describe "a future" do
    test "comes in any order, many at once", %{server: server} do
      assert Native.async_on(&(&1 * 2), server, 5) == 12_010
      assert Native.many_on(& &1, server, 1_000) == 500_500
      assert_empty_mailbox()
    end

    test "is ready when it is answered, and gives its value once", %{server: server} do
      fun = stopper()

      # Called in this process, while the executor waits.
      go_on = fn 0 ->
        send(server, :go)
        0
      end

      assert Native.future_on(fun, server, go_on) == [
               "no",
               "no",
               "no",
               "yes",
               "yes",
               "1",
               "this upcall::future has given its answer already"
             ]

      assert_receive {:running, ^server}
      assert_empty_mailbox()
    end

    test "ends at the timeout of its call, however long it is waited for", %{server: server} do
      assert Native.late_on(stopper(), server) =~ "did not answer within 30 ms"
      assert_receive {:running, ^server}, @at_once
      send(server, :go)
    end

    test "that is dropped before its call began has that never run", %{server: server} do
      test = self()
      :sys.suspend(server)

      f = fn x ->
        send(test, {:ran, x})
        x
      end

      task = Task.async(fn -> Native.drop_on(f, server, 100) end)
      await_queued(101)
      :sys.resume(server)
      assert Task.await(task) == 100
      assert_receive {:ran, 100}
      refute_received {:ran, _}
    end

    test "of an executor that does not run has that error" do
      assert_raise Upcall.ExecutorError, ~r/not running/, fn ->
        Native.async_on(& &1, Demo.Nobody, 1)
      end
    end
  end

  describe "a cast" do
    test "is taken by an executor that runs, and waits for nothing", %{server: server} do
      :sys.suspend(server)
      test = self()

      f = fn x ->
        send(test, {:ran, x, self()})
        x
      end

      assert Native.cast_on(f, server, 7)
      :sys.resume(server)
      assert_receive {:ran, 7, ^server}, @at_once
      assert_empty_mailbox()
    end

    test "is taken by the process that makes it, for later" do
      assert Native.cast_on(& &1, self(), 7)
      assert_receive {:upcall, Native, link}
      assert {number, _caller, _fun, [7]} = Native.__upcall_tell__(link, :take, {10, 1})
      assert Native.__upcall_tell__(link, :returned, {number, 7}) == {:unheard, false}
    end

    test "is not taken where nobody runs or the queue is full" do
      refute Native.cast_on(& &1, Demo.Nobody, 1)
      pool = start_supervised!({Upcall.Pool, size: 1, max_queue: 1})
      assert Native.call_on(& &1, pool, 1, 60_000) == 1
      [worker] = Upcall.Pool.info(pool).workers
      :sys.suspend(worker)
      assert for(_ <- 1..4, do: Native.cast_on(& &1, pool, 1)) == [true, true, false, false]
      :sys.resume(worker)
    end

    test "whose function fails is logged", %{server: server} do
      log =
        capture_log(fn ->
          assert Native.cast_on(fn _ -> raise "unheard of" end, server, 1)
          assert Native.call_on(& &1, server, 1, 60_000) == 1
        end)

      assert log =~ "a function that native code cast"
      assert log =~ "unheard of"
    end
  end

  describe "map" do
    for {name, map} <- [
          {"in an executor", quote(do: &Native.map_on(&1, var!(server), &2))},
          {"in the calling process", quote(do: &Native.map_here/2)}
        ] do
      test "#{name} gives what the function returned, in order", %{server: server} do
        map = unquote(map)
        _ = server
        assert map.(&(&1 * 2), []) == []
        assert map.(&(&1 * 2), [3, 1, 2]) == [6, 2, 4]
        values = Enum.to_list(1..10_000)
        assert map.(&(&1 + 1), values) == Enum.map(values, &(&1 + 1))
        assert_empty_mailbox()
      end

      test "#{name} ends with the first that fails", %{server: server} do
        map = unquote(map)
        _ = server
        test = self()

        f = fn x ->
          send(test, {:seen, x})
          if x == 2, do: raise("at 2"), else: x
        end

        assert_raise RuntimeError, "at 2", fn -> map.(f, [1, 2, 3]) end
        assert_received {:seen, 2}
        refute_received {:seen, 3}
      end
    end

    test "in an executor takes one message there", %{server: server} do
      assert Native.call_on(& &1, server, 1, 60_000) == 1
      :sys.statistics(server, true)
      assert Native.map_on(& &1, server, Enum.to_list(1..1_000)) == Enum.to_list(1..1_000)
      {:ok, statistics} = :sys.statistics(server, :get)
      assert statistics[:messages_in] == 1
    end
  end

  describe "on a thread of native code" do
    test "a call gives its value, or throws", %{server: server} do
      :ok = Native.thread_call(&(&1 * 2), server, 21, 60_000, self())
      assert await_value() == 42
      :ok = Native.thread_call(fn _ -> raise "no" end, server, 21, 60_000, self())
      assert await_value() == "** (RuntimeError) no"
      :ok = Native.thread_call(stopper(), server, 21, 20, self())
      assert await_value() =~ "did not answer within 20 ms"
      assert_receive {:running, ^server}
      send(server, :go)
      :ok = Native.thread_call(fn _ -> nil end, server, 21, 60_000, self())
      assert await_value() =~ "from the function, got: nil"
    end

    test "a function outlives the process that passed it in", %{server: server} do
      test = self()

      {pid, ref} =
        spawn_monitor(fn ->
          held = Hidden.value(make_ref())

          :ok =
            Native.thread_call(
              fn x ->
                send(test, {:waits, self()})
                receive(do: (:go -> is_reference(held) && x))
              end,
              server,
              5,
              60_000,
              test
            )
        end)

      assert_receive {:DOWN, ^ref, :process, ^pid, :normal}, @at_once
      assert_receive {:waits, ^server}, @at_once
      send(server, :go)
      assert await_value() == 5
    end

    test "many calls are under way at once", %{server: server} do
      :ok = Native.thread_many(& &1, server, 1_000, self())
      assert await_value() == 500_500
    end

    test "map is one message", %{server: server} do
      :ok = Native.thread_map(&(&1 + 1), server, Enum.to_list(1..1_000), self())
      assert await_value() == Enum.to_list(2..1_001)
    end

    test "a cast says whether it was taken", %{server: server} do
      test = self()
      :ok = Native.thread_cast(&send(test, {:cast, &1}), server, 1, self())
      assert await_value() == true
      assert_receive {:cast, 1}, @at_once
      :ok = Native.thread_cast(& &1, Demo.Nobody, 1, self())
      assert await_value() == false
    end

    test "copies are called on several at once", %{server: server} do
      :ok = Native.copies_on_threads(& &1, server, 20, self())
      assert Enum.sort(for _ <- 1..20, do: await_value()) == Enum.to_list(1..20)
    end

    test "a function without an executor is refused" do
      :ok = Native.thread_without_executor(& &1, self())
      assert await_value() =~ "an upcall was made on a thread that runs no native call"
    end
  end
end
