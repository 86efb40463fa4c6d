defmodule UpcallTest.Task do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("task_nif")

  defnif objects()
  defnif descend(f, depth)
  defnif catch_from_task(f, text)
  defnif fail_in_task(text)
  defnif out_of_order(f, numbers)
  defnif await_twice(f)
  defnif upcase(text)
  defnif look_up(module)
  defnif call_temporary(make)
  defnif call_executor(f, where)
  defnif yield_unawaited()
  defnif wait_in_place(f, where)
  defnif make_chain(length, awaits)
  defnif moved_from()
  defnif await_shared(f, where, asks)
  defnif lock_in_place()
  defnif get_in_place(f, where, waits)
  defnif apply_in_place(f, where)
  defnif yield_value_in_task()
  defnif open_account()
  defnif add(account, f)
  defnif open_journal()
  defnif finished(shared)
  defnif sign_in_task(shared, name, inside)
  defnif sign_on_fiber(shared, name, inside)
  defnif sign_pinned(shared, name, inside)
  defnif ignore(argument, f)
  defnif ignore_on_fiber(argument, f)
  defnif hold(f)
  defnif native_heap()
  defnif terminate_in_task(f, text)
  defnif throw_when_abandoned(f)
end

defmodule Upcall.TaskTest do
  use ExUnit.Case

  alias UpcallTest.Machine
  alias UpcallTest.Task, as: Native
  alias UpcallTest.Wait

  @slow Machine.slow?()

  # Whatever a test did, no frame is left and every object of one is destroyed.
  setup context do
    {made, destroyed} = Native.objects()

    on_exit(fn ->
      Wait.until_no_frames(Native)
      {made_now, destroyed_now} = Native.objects()
      lost = context[:lost] || 0
      assert made_now - made == destroyed_now - destroyed + lost
    end)
  end

  describe "tasks that await tasks" do
    @depth if @slow, do: 100_000, else: 1_000_000

    test "go #{@depth} deep, and back" do
      assert Native.descend(fn 0 -> 7 end, @depth) == @depth + 7
    end

    test "pass what the innermost throws to the outermost" do
      value = {:from_the_bottom, self()}
      assert catch_throw(Native.descend(fn 0 -> throw(value) end, 10_000)) == value
    end

    test "are destroyed from the innermost outwards, however deep, when their caller is killed" do
      test = self()
      {made, destroyed} = Native.objects()

      call = fn 0 ->
        send(test, :suspended)
        Process.sleep(:infinity)
      end

      {pid, monitor} = spawn_monitor(fn -> Native.descend(call, @depth) end)
      assert_receive :suspended, 60_000
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^monitor, _, _, :killed}
      Wait.until_no_frames(Native)
      {made_now, destroyed_now} = Native.objects()
      assert made_now - made == destroyed_now - destroyed
      assert made_now - made == @depth + 1
    end

    test "may be a chain of #{@depth}, awaited or not" do
      assert Native.make_chain(@depth, true) == @depth
      assert Native.make_chain(@depth, false) == -1
    end

    test "are none when they were moved from" do
      assert_raise RuntimeError, ~r/moved from/, fn -> Native.moved_from() end
    end

    test "catch what those throw, and go on" do
      assert Native.catch_from_task(& &1, "the text") == "the text"
    end

    test "let the exception of the innermost out, with its own kind" do
      assert_raise ArgumentError, "the text", fn -> Native.fail_in_task("the text") end
    end

    test "begin when they are awaited, in any order, or never" do
      {:ok, seen} = Agent.start_link(fn -> [] end)

      f = fn x ->
        Agent.update(seen, &[x | &1])
        2 * x
      end

      assert Native.out_of_order(f, [1, 2, 3]) == [12, 0]
      assert Agent.get(seen, & &1) == [3, 2, 1]
    end

    test "are awaited once" do
      assert_raise RuntimeError, "this upcall::task was awaited already", fn ->
        Native.await_twice(& &1)
      end
    end
  end

  describe "a coroutine awaits" do
    test "a function that it looks up by name" do
      assert Native.upcase("text") == "TEXT"
      assert_raise UndefinedFunctionError, fn -> Native.look_up("Enum") end
    end

    test "a function that another one returned, and that it does not keep" do
      assert Native.call_temporary(fn x -> fn y -> 10 * x + y end end) == 12
    end

    test "the answers of an executor" do
      server = start_supervised!(Upcall.Server)
      test = self()

      f = fn x ->
        send(test, {x, self()})
        x
      end

      assert Native.call_executor(f, server) == 6
      assert_received {1, ^test}
      assert_received {2, ^server}
      assert_received {3, ^server}
    end

    test "an answer that no other native call awaits" do
      server = start_supervised!(Upcall.Server)
      test = self()

      f = fn 1 ->
        send(test, {:asked, self()})
        receive(do: (:go -> 7))
      end

      first = Task.async(fn -> Native.await_shared(f, server, true) end)
      assert_receive {:asked, ^server}
      Wait.until_queued(first.pid)

      assert_raise RuntimeError, ~r/another native call waits for this upcall::future/, fn ->
        Native.await_shared(f, server, false)
      end

      send(server, :go)
      assert Task.await(first) == 7
    end

    test "an executor that dies meanwhile" do
      server = start_supervised!({Upcall.Server, []}, restart: :temporary)

      f = fn
        1 -> 1
        2 -> Process.exit(self(), :kill)
      end

      assert_raise Upcall.ExecutorError, fn -> Native.call_executor(f, server) end
    end
  end

  describe "a coroutine can't wait" do
    test "in the middle of an expression" do
      server = start_supervised!(Upcall.Server)

      assert_raise RuntimeError, ~r/can't wait in the middle.*co_await/, fn ->
        Native.wait_in_place(& &1, server)
      end
    end

    test "for its turn, or an answer of an executor, other than by co_await" do
      server = start_supervised!(Upcall.Server)

      # What is asked of the server is not there before the end of the test.
      f = fn x -> if self() == server and x == 1, do: receive(do: (:go -> 7)), else: x end
      message = ~r/can't wait in the middle.*co_await/

      for call <- [
            fn -> Native.lock_in_place() end,
            fn -> Native.get_in_place(f, server, false) end,
            fn -> Native.apply_in_place(f, server) end
          ] do
        assert_raise RuntimeError, message, call
      end

      send(server, :go)
      assert Native.get_in_place(fn x -> x + 1 end, server, true) == 2
    end

    test "for who enumerates, other than by co_yield" do
      assert_raise RuntimeError, ~r/yields by co_yield: return an upcall::generator/, fn ->
        Native.yield_value_in_task()
      end
    end

    test "by a yield that it does not await" do
      assert_raise RuntimeError, ~r/did not co_await it/, fn -> Native.yield_unawaited() end
    end
  end

  test "a member function keeps its object while it is suspended" do
    account = Native.open_account()

    f = fn x ->
      :erlang.garbage_collect()
      x
    end

    assert Native.add(account, f) == 3
    assert Native.add(account, f) == 6
  end

  # Nobody else has it: it is there as long as the function runs, and not longer.
  test "an object that nobody else has lives as long as its member function runs" do
    alive = fn -> Native.objects() |> then(fn {made, destroyed} -> made - destroyed end) end
    :erlang.garbage_collect()
    before = alive.()

    held = fn x ->
      :erlang.garbage_collect()
      assert alive.() == before + 2
      x
    end

    # `assert` would keep it.
    sum = Native.add(Native.open_account(), held)
    assert sum == 3
    :erlang.garbage_collect()
    Wait.until(fn -> alive.() == before end)
  end

  test "an argument that native code does not keep is garbage while it runs" do
    for native <- [&Native.ignore/2, &Native.ignore_on_fiber/2] do
      memory = fn 1 ->
        :erlang.garbage_collect()
        {:memory, bytes} = Process.info(self(), :memory)
        bytes
      end

      with_a_list = native.(Enum.to_list(1..1_000_000), memory)
      assert with_a_list < native.([], memory) + 1_000_000
    end
  end

  describe "a coroutine, a fiber and a pinned call" do
    @signs [&Native.sign_in_task/3, &Native.sign_on_fiber/3, &Native.sign_pinned/3]
    @pairs for outer <- @signs, inner <- @signs, do: {outer, inner}

    test "share an object: one at a time, in the order in which they asked" do
      test = self()
      shared = Native.open_journal()

      wait = fn ->
        send(test, {:inside, self()})
        receive(do: (:go -> :ok))
      end

      holder = spawn_link(fn -> Native.sign_pinned(shared, "pinned", wait) end)
      assert_receive {:inside, ^holder}, 5_000

      frames =
        for {sign, name} <- [{&Native.sign_on_fiber/3, "fiber"}, {&Native.sign_in_task/3, "task"}] do
          pid = spawn_link(fn -> sign.(shared, name, wait) end)
          Wait.until_queued(pid)
          pid
        end

      refute_received {:inside, _}
      send(holder, :go)

      for each <- frames do
        assert_receive {:inside, ^each}, 5_000
        refute_received {:inside, _}
        send(each, :go)
      end

      assert Native.finished(shared) == ["pinned", "fiber", "task"]
    end

    test "may have it in functions of each other" do
      for {outer, inner} <- @pairs do
        shared = Native.open_journal()
        outer.(shared, "outer", fn -> inner.(shared, "inner", fn -> :ok end) end)
        assert Native.finished(shared) == ["inner", "outer"]
      end
    end

    # The race: both are abandoned at once, and threads of ours finish them in any order.
    test "end from the innermost outwards when their process is killed" do
      test = self()

      for {outer, inner} <- @pairs, _ <- 1..if(@slow, do: 10, else: 100) do
        shared = Native.open_journal()

        {killed, monitor} =
          spawn_monitor(fn ->
            outer.(shared, "outer", fn ->
              inner.(shared, "inner", fn ->
                send(test, :innermost)
                Process.sleep(:infinity)
              end)
            end)
          end)

        assert_receive :innermost, 5_000
        Process.exit(killed, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
        assert Native.finished(shared) == ["inner", "outer"]
      end
    end
  end

  describe "1,000,000 frames suspended at once" do
    @count if @slow, do: 20_000, else: 1_000_000

    @tag :slow
    test "take at most 1 KB of native memory each, and leave nothing" do
      # Of one process, which needs no million of others.
      {pid, monitor} =
        spawn_monitor(fn ->
          before = unless Machine.sanitized?(), do: native_memory()
          held = for _ <- 1..@count, do: Native.__native_hold__(fn 1 -> 1 end)
          assert Upcall.info(Native).suspended == @count

          # Under a sanitizer the VM does not count its memory.
          unless Machine.sanitized?() do
            each = div(native_memory() - before, @count)
            assert each <= 1024, "#{each} bytes for each frame"
          end

          {ended, left} = Enum.split(held, div(@count, 2))

          for {:upcall, frame, roots, _f, 1} <- ended do
            assert Native.__upcall_resume__(frame, roots, 1, 1) == {:return, 2}
          end

          assert Upcall.info(Native).suspended == length(left)
        end)

      assert_receive {:DOWN, ^monitor, :process, ^pid, :normal}, 120_000
      Wait.until_no_frames(Native)
    end

    # What C++ has allocated, and the VM for its resources.
    defp native_memory, do: Native.native_heap() + :erlang.memory(:binary)
  end

  describe "an error that can go nowhere" do
    @tag lost: 1
    test "ends the call, not the VM" do
      %{parked: parked} = Upcall.info(Native)

      failure =
        assert_raise RuntimeError, fn -> Native.terminate_in_task(fn 0 -> 0 end, "the reason") end

      assert failure.message =~ "what it holds is lost"
      assert failure.message =~ "the reason"
      assert Upcall.info(Native).parked == parked + 1
      assert Native.upcase("it goes on") == "IT GOES ON"
    end

    test "out of a destructor of an abandoned coroutine is a frame lost, too" do
      %{parked: parked} = Upcall.info(Native)
      test = self()

      call = fn 1 ->
        send(test, :suspended)
        Process.sleep(:infinity)
      end

      pid = spawn(fn -> Native.throw_when_abandoned(call) end)
      assert_receive :suspended
      Process.exit(pid, :kill)
      Wait.until(fn -> Upcall.info(Native).parked == parked + 1 end)
      Wait.until_no_frames(Native)
    end
  end
end
