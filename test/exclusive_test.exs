import UpcallTest.Bodies

for_both_bodies UpcallTest.Exclusive do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("exclusive_nif", @body)

  defnif open()
  defnif increment(shared, between)
  defnif use(shared, inside)
  defnif try_use(shared, inside)
  defnif use_both(first, second, inside)
  defnif use_twice(shared, inside)
  defnif sign(shared, name, inside)
  defnif sign_late(first, second, name, inside)
  defnif finished(shared)
  defnif use_and_park(shared, inside)
  defnif wait_and_park(shared, inside)
  defnif make_box()
  defnif lock_into_box(shared, into, inside)
  defnif empty_box(box)

  # A pinned call takes an `upcall::function`, which is not to be had without Boost.
  if @body == :fiber do
    defnif sign_both_pinned(first, second, name, inside)
    defnif increment_pinned(shared, between)
    defnif use_pinned(shared, inside)
    defnif try_use_pinned(shared, inside)
    defnif use_early_pinned(shared, inside)
    defnif sign_pinned(shared, name, inside)
    defnif use_and_park_pinned(shared, inside)
  end
end

for_both_bodies UpcallTest.ExclusiveTest, native: UpcallTest.Exclusive do
  use ExUnit.Case

  alias UpcallTest.Wait

  setup do
    on_exit(fn -> Wait.until_no_frames(Native) end)
    {:ok, shared: Native.open()}
  end

  describe "one call at a time" do
    test "of 50 processes that suspend between read and write", %{shared: shared} do
      1..50
      |> Enum.map(fn _ ->
        Task.async(fn ->
          for _ <- 1..40, do: Native.increment(shared, fn -> :erlang.yield() end)
        end)
      end)
      |> Task.await_many(30_000)

      assert Native.increment(shared, fn -> :ok end) == 50 * 40 + 1
    end

    test "in the order in which they asked", %{shared: shared} do
      holder = hold(shared)

      waiters =
        for i <- 1..20 do
          test = self()
          waiter = spawn_link(fn -> Native.use(shared, fn -> send(test, {:turn, i}) end) end)
          Wait.until_queued(waiter)
          waiter
        end

      refute_received {:turn, _}
      let_go(holder)

      for waiter <- waiters, do: await_end(waiter)
      assert received_turns() == Enum.to_list(1..20)
    end

    test "and try_lock says when it is another's", %{shared: shared} do
      assert Native.try_use(shared, fn -> :ok end)
      holder = hold(shared)
      refute Native.try_use(shared, fn -> flunk("used while another has it") end)
      let_go(holder)
      await_end(holder)
      assert Native.try_use(shared, fn -> :ok end)
    end

    test "whose function raises gives it up", %{shared: shared} do
      assert_raise RuntimeError, "inside", fn -> Native.use(shared, fn -> raise "inside" end) end
      assert Native.try_use(shared, fn -> :ok end)
    end
  end

  describe "a call under way" do
    test "is no obstacle to those that its functions make", %{shared: shared} do
      nested = fn -> Native.increment(shared, fn -> :ok end) end

      assert Native.use(shared, fn ->
               assert nested.() == 1
               assert Native.try_use(shared, fn -> assert nested.() == 2 end)
             end) == :ok
    end

    test "may take it twice, and gives it up once", %{shared: shared} do
      test = self()
      done = fn -> send(test, {:used, Task.await(Task.async(fn -> try_now(shared) end))}) end
      Native.use_twice(shared, done)
      assert_received {:used, false}
      assert_received {:used, false}
      assert try_now(shared)
    end

    test "is one to a function's other processes", %{shared: shared} do
      Native.use(shared, fn -> refute Task.await(Task.async(fn -> try_now(shared) end)) end)
    end

    test "keeps it after a nested one has given it up", %{shared: shared} do
      Native.use(shared, fn ->
        Native.use(shared, fn -> :ok end)
        refute Task.await(Task.async(fn -> try_now(shared) end))
      end)
    end
  end

  describe "a kill" do
    test "while holding passes it on", %{shared: shared} do
      holder = hold(shared)
      next = hold_next(shared)
      kill(holder)
      assert_receive {:held_by, ^next}, 5_000
      let_go(next)
      await_end(next)
    end

    test "while waiting passes it on to those behind", %{shared: shared} do
      holder = hold(shared)
      [_, second, _, fourth] = waiters = for _ <- 1..4, do: hold_next(shared)
      for killed <- waiters -- [second, fourth], do: kill(killed)
      Wait.until(fn -> Upcall.info(Native).suspended == 3 end)

      let_go(holder)
      assert_receive {:held_by, ^second}, 5_000
      refute_received {:held_by, _}
      let_go(second)
      assert_receive {:held_by, ^fourth}, 5_000
      let_go(fourth)
      await_end(fourth)
    end

    # The race: it is a waiter's turn, but the waiter dies before it can take it.
    test "between the grant and its use passes it on", %{shared: shared} do
      for _ <- 1..100 do
        holder = hold(shared)
        granted = hold_next(shared)
        behind = hold_next(shared)

        # Granted while it can't run, so that it is killed before it knows.
        :erlang.suspend_process(granted)
        let_go(holder)
        await_end(holder)
        assert Process.info(granted, :message_queue_len) == {:message_queue_len, 1}
        kill(granted)

        assert_receive {:held_by, ^behind}, 5_000
        refute_received {:held_by, ^granted}
        let_go(behind)
        await_end(behind)
      end
    end

    # The same race, undirected: release and kill at once, from two processes.
    test "at the moment of the grant passes it on, whoever comes first", %{shared: shared} do
      for round <- 1..1_000 do
        holder = hold(shared)
        granted = hold_next(shared)
        behind = hold_next(shared)
        killer = spawn_link(fn -> receive(do: (:now -> kill_after(granted, rem(round, 50)))) end)

        send(killer, :now)
        let_go(holder)
        await_end(granted)
        assert_receive {:held_by, ^behind}, 5_000
        let_go(behind)
        await_end(behind)
        flush_holders()
      end
    end

    # The race: both frames are abandoned at once, and threads of ours finish them in any order.
    test "of nested calls ends the innermost first", %{shared: shared} do
      test = self()
      depth = 6

      for _ <- 1..200 do
        shared = Native.open()
        killed = spawn(fn -> sign_nested(shared, depth, test) end)
        assert_receive :innermost, 5_000
        kill(killed)

        assert Native.finished(shared) == Enum.map(depth..1//-1, &Integer.to_string/1)
      end

      assert try_now(shared)
    end

    # The race: two inner frames that end at once both think that the outer one waits for them.
    test "of calls nested in two objects ends the innermost first" do
      test = self()

      for _ <- 1..300 do
        first = Native.open()
        second = Native.open()

        killed =
          spawn(fn ->
            Native.use_both(first, second, fn ->
              Native.sign(first, "a", fn ->
                Native.sign(second, "b", fn ->
                  send(test, :innermost)
                  Process.sleep(:infinity)
                end)
              end)
            end)
          end)

        assert_receive :innermost, 5_000
        kill(killed)
        assert Native.finished(first) == ["a"]
        assert Native.finished(second) == ["b"]
      end
    end

    test "of 500 processes in all states at once leaves it free", %{shared: shared} do
      workers =
        for i <- 1..500 do
          spawn(fn ->
            for _ <- 1..1_000_000 do
              Native.increment(shared, fn -> if rem(i, 3) == 0, do: :erlang.yield() end)
            end
          end)
        end

      for killed <- Enum.shuffle(workers) do
        Native.use(shared, fn -> :ok end)
        kill(killed)
      end

      Wait.until_no_frames(Native)
      assert try_now(shared)
    end
  end

  # Coroutines and pinned calls share objects in task_test.exs.
  if @body == :fiber do
    describe "a pinned call" do
      test "has it alone, among frames and other pinned calls", %{shared: shared} do
        1..10
        |> Enum.flat_map(fn _ -> [&Native.increment/2, &Native.increment_pinned/2] end)
        |> Enum.map(fn increment ->
          Task.async(fn -> for _ <- 1..40, do: increment.(shared, fn -> :erlang.yield() end) end)
        end)
        |> Task.await_many(60_000)

        assert Native.increment(shared, fn -> :ok end) == 20 * 40 + 1
      end

      test "is refused by try_lock where another has it", %{shared: shared} do
        holder = hold(shared)
        refute Native.try_use_pinned(shared, fn -> flunk("used while another has it") end)
        let_go(holder)
        await_end(holder)
        assert Native.try_use_pinned(shared, fn -> :ok end)
      end

      test "may be nested with frames, either way", %{shared: shared} do
        nested = fn ->
          Native.use_pinned(shared, fn -> Native.increment(shared, fn -> :ok end) end)
        end

        Native.use(shared, nested)
        Native.use_pinned(shared, nested)
        assert Native.increment_pinned(shared, fn -> :ok end) == 3
      end

      test "that is killed while it waits leaves the queue", %{shared: shared} do
        holder = hold(shared)
        waiters = for _ <- 1..20, do: spawn(fn -> Native.use_pinned(shared, fn -> :ok end) end)
        Wait.until(fn -> Upcall.info(Native).pinned == 20 end)
        Enum.each(waiters, &kill/1)
        Wait.until(fn -> Upcall.info(Native).pinned == 0 end)
        let_go(holder)
        await_end(holder)
        assert try_now(shared)
      end

      # The race: all calls are abandoned at once; frames are finished on our threads, pinned ones on theirs.
      test "that is killed ends after those that are nested in it", %{shared: shared} do
        test = self()

        for round <- 1..200 do
          {outer, inner} =
            if rem(round, 2) == 0,
              do: {&Native.sign_pinned/3, &Native.sign/3},
              else: {&Native.sign/3, &Native.sign_pinned/3}

          shared = Native.open()

          killed =
            spawn(fn ->
              outer.(shared, "outer", fn ->
                inner.(shared, "inner", fn ->
                  send(test, :innermost)
                  Process.sleep(:infinity)
                end)
              end)
            end)

          assert_receive :innermost, 5_000
          kill(killed)
          assert Native.finished(shared) == ["inner", "outer"]
        end

        assert try_now(shared)
      end

      test "can't lock it while its arguments are decoded, on a scheduler", %{shared: shared} do
        assert_raise RuntimeError, ~r/outside of a native call of Upcall; make the NIF one/, fn ->
          Native.use_early_pinned(shared, fn -> :ok end)
        end

        assert try_now(shared)
      end

      # The nested call gives the second object up before the first.
      test "that is killed waits for all objects that a nested one has of it" do
        test = self()

        for _ <- 1..20 do
          first = Native.open()
          second = Native.open()

          killed =
            spawn(fn ->
              Native.sign_both_pinned(first, second, "outer", fn ->
                Native.sign_late(first, second, "inner", fn ->
                  send(test, :innermost)
                  Process.sleep(:infinity)
                end)
              end)
            end)

          assert_receive :innermost, 5_000
          kill(killed)
          assert Native.finished(first) == ["inner", "outer"]
        end
      end
    end
  end

  describe "a parked frame" do
    @lost ~r/this native object is lost: a native call that was using it was parked/

    test "that had it makes it lost, to those that wait and those that come", %{shared: shared} do
      parked = Upcall.info(Native).parked
      test = self()

      holder =
        spawn(fn ->
          Native.use_and_park(shared, fn ->
            send(test, {:held_by, self()})
            Process.sleep(:infinity)
          end)
        end)

      assert_receive {:held_by, ^holder}

      waiters =
        for _ <- 1..3 do
          waiter = Task.async(fn -> catch_error(Native.use(shared, fn -> :ok end)) end)
          Wait.until_queued(waiter.pid)
          waiter
        end

      kill(holder)

      for error <- Task.await_many(waiters) do
        assert %RuntimeError{message: message} = error
        assert message =~ @lost
      end

      assert_raise RuntimeError, @lost, fn -> Native.use(shared, fn -> :ok end) end
      assert_raise RuntimeError, @lost, fn -> Native.try_use(shared, fn -> :ok end) end
      # Those that wait are told before it is counted.
      Wait.until(fn -> Upcall.info(Native).parked == parked + 1 end)
    end

    test "nested in one that had it makes it lost, and the outer one ends", %{shared: shared} do
      test = self()

      killed =
        spawn(fn ->
          Native.sign(shared, "outer", fn ->
            Native.use_and_park(shared, fn ->
              send(test, :inside)
              Process.sleep(:infinity)
            end)
          end)
        end)

      assert_receive :inside
      waiter = Task.async(fn -> catch_error(Native.use(shared, fn -> :ok end)) end)
      Wait.until_queued(waiter.pid)
      kill(killed)

      assert %RuntimeError{message: message} = Task.await(waiter)
      assert message =~ @lost
      Wait.until_no_frames(Native)
    end

    test "that only waited for it does no harm", %{shared: shared} do
      holder = hold(shared)
      waiter = spawn(fn -> Native.wait_and_park(shared, fn -> :ok end) end)
      Wait.until_queued(waiter)
      kill(waiter)
      Wait.until(fn -> Upcall.info(Native).suspended == 1 end)
      let_go(holder)
      await_end(holder)
      assert try_now(shared)
    end
  end

  describe "a hold in native state" do
    test "ends with the call that took it", %{shared: shared} do
      box = Native.make_box()

      Native.lock_into_box(shared, box, fn ->
        refute Task.await(Task.async(fn -> try_now(shared) end))
      end)

      assert try_now(shared)
    end

    test "does nothing when it is destroyed late", %{shared: shared} do
      box = Native.make_box()
      Native.lock_into_box(shared, box, fn -> :ok end)
      holder = hold(shared)
      Native.empty_box(box)
      refute try_now(shared)
      let_go(holder)
      await_end(holder)
      assert try_now(shared)
    end

    test "does nothing when another call destroys it", %{shared: shared} do
      box = Native.make_box()
      test = self()

      holder =
        spawn_link(fn ->
          Native.lock_into_box(shared, box, fn ->
            send(test, {:held_by, self()})
            receive(do: (:go -> :ok))
          end)
        end)

      assert_receive {:held_by, ^holder}
      Native.empty_box(box)
      refute try_now(shared)
      let_go(holder)
      await_end(holder)
      assert try_now(shared)
    end

    test "outlives a killed holder without harm", %{shared: shared} do
      test = self()

      killed =
        spawn(fn ->
          Native.lock_into_box(shared, Native.make_box(), fn ->
            send(test, :inside)
            Process.sleep(:infinity)
          end)
        end)

      assert_receive :inside
      kill(killed)
      Native.use(shared, fn -> :ok end)
    end
  end

  # A process that has the object until `let_go/1`.
  defp hold(shared) do
    holder = spawn_holder(shared)
    assert_receive {:held_by, ^holder}, 5_000
    holder
  end

  # A process that waits for the object, to have it until `let_go/1`.
  defp hold_next(shared) do
    waiter = spawn_holder(shared)
    Wait.until_queued(waiter)
    waiter
  end

  defp spawn_holder(shared) do
    test = self()

    spawn(fn ->
      Native.use(shared, fn ->
        send(test, {:held_by, self()})
        receive(do: (:go -> :ok))
      end)
    end)
  end

  defp let_go(holder), do: send(holder, :go)

  defp await_end(pid) do
    monitor = Process.monitor(pid)
    assert_receive {:DOWN, ^monitor, _, _, _}, 5_000
  end

  defp kill(pid) do
    Process.exit(pid, :kill)
    await_end(pid)
  end

  defp kill_after(pid, spins) do
    for _ <- 0..spins, do: :erlang.phash2(make_ref())
    Process.exit(pid, :kill)
  end

  defp try_now(shared), do: Native.try_use(shared, fn -> :ok end)

  defp sign_nested(shared, depth, test), do: sign_nested(shared, 1, depth, test)

  defp sign_nested(_, level, depth, test) when level > depth do
    send(test, :innermost)
    Process.sleep(:infinity)
  end

  defp sign_nested(shared, level, depth, test) do
    Native.sign(shared, Integer.to_string(level), fn ->
      sign_nested(shared, level + 1, depth, test)
    end)
  end

  defp received_turns do
    receive do
      {:turn, i} -> [i | received_turns()]
    after
      0 -> []
    end
  end

  defp flush_holders do
    receive do
      {:held_by, _} -> flush_holders()
    after
      0 -> :ok
    end
  end
end
