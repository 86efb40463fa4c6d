Code.require_file("support/frame_abandoned.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies Upcall.FrameAbandonedTest, native: UpcallTest.FrameAbandoned do
  use ExUnit.Case

  import UpcallTest.FrameKill

  alias UpcallTest.{ChildVM, Wait}

  setup do
    {made, destroyed} = Native.objects()
    %{parked: parked} = Upcall.info(Native)
    %{made: made, destroyed: destroyed, parked: parked, seen: Native.seen_abandoned()}
  end

  # All frames have ended, each object was destroyed once, and no frame is parked.
  defp assert_finished(context, objects) do
    Wait.until_no_frames(Native)
    assert Upcall.info(Native).parked == context.parked
    assert Native.objects() == {context.made + objects, context.destroyed + objects}
  end

  # That many frames keep their stacks, and the library goes on working.
  defp assert_parked(context, count) do
    Wait.until_no_frames(Native)
    assert Upcall.info(Native).parked == context.parked + count
    assert Native.hold(fn x -> x + 1 end, 3) == 2 + 3 * 100
  end

  describe "a process that is killed while a native call is suspended" do
    test "leaves nothing: 2,000 of them", context do
      pids = suspend(2_000, &Native.hold(&1, 5))
      assert %{suspended: 2_000, abandoned: 0} = Upcall.info(Native)
      assert Native.objects() == {context.made + 2_000 * 7, context.destroyed}

      kill(pids)
      assert_finished(context, 2_000 * 7)
    end

    # The race: the caller dies while the value of its function is on its way.
    test "at any moment", context do
      for _ <- 1..20 do
        pids = suspend(50, &Native.hold(&1, 5))

        for pid <- Enum.shuffle(pids) do
          send(pid, {:value, 1})
          Process.exit(pid, :kill)
        end
      end

      Wait.until_no_frames(Native)
      assert Upcall.info(Native).parked == context.parked
      {made, destroyed} = Native.objects()
      assert made - context.made == destroyed - context.destroyed
      assert made - context.made >= 20 * 50 * 7
    end

    test "leaves the body what it owns", context do
      kill(suspend(100, &Native.reads_owned(&1, Enum.to_list(1..100))))
      assert_finished(context, 100)
      assert Native.seen_abandoned() == context.seen + 100
    end

    test "is met by no handler of std::exception, and not by try_call", context do
      kill(suspend(10, &Native.handles_errors(&1)))
      assert_finished(context, 10)
      assert Native.seen_abandoned() == context.seen + 10
    end

    test "may be an exit that a link brings", context do
      parent =
        spawn(fn ->
          receive(do: ({:link, pid} -> Process.link(pid)))
          receive(do: (:die -> exit(:crash)))
        end)

      [pid] = suspend(1, &Native.hold(&1, 5))
      reference = Process.monitor(pid)
      send(parent, {:link, pid})
      send(parent, :die)
      assert_receive {:DOWN, ^reference, :process, ^pid, :crash}
      assert_finished(context, 7)
    end

    test "in the middle of nested native calls leaves none of them", context do
      nested = fn f ->
        call = fn call, depth ->
          Native.hold(fn 1 -> if depth == 0, do: f.(1), else: call.(call, depth - 1) end, 1)
        end

        call.(call, 9)
      end

      pids = suspend(100, nested)
      assert Upcall.info(Native).suspended == 100 * 10
      kill(pids)
      assert_finished(context, 100 * 10 * 3)
    end

    # Made by a fiber that swallows its caller's death, and by destructors, which can't await.
    if @body == :fiber do
      test "is told to the frame again at each upcall that it still makes", context do
        [pid] = suspend(1, 7, &Native.goes_on_for_a_while(&1))
        kill([pid])
        assert_finished(context, 51)
        assert Native.seen_abandoned() == context.seen + 50 - 7
      end

      test "while the result waits for a destructor of the arguments", context do
        call = fn f ->
          # Large heaps go back to the system when they are freed.
          Process.flag(:min_heap_size, 1_000_000)
          :erlang.garbage_collect()
          Native.calls_after_result(f, "text")
        end

        pids = suspend(20, 2, call)
        Native.open_gate(false)
        kill(pids)
        # They end after their callers' heaps, with the result, are gone.
        Wait.until(fn -> Upcall.info(Native).abandoned == 20 end)
        Native.open_gate(true)
        assert_finished(context, 20)
      end

      test "while a destructor that swallows everything makes an upcall", context do
        kill(suspend(10, 2, &Native.careful_destructor_calls(&1)))
        assert_finished(context, 10)
      end

      test "while the body makes the upcall, and a careful destructor then another", context do
        kill(suspend(10, 1, &Native.careful_destructor_calls(&1)))
        assert_finished(context, 10)
      end
    end

    # A coroutine is destroyed where it waits.
    if @body == :coroutine do
      test "ends it there, whatever it would catch", context do
        [pid] = suspend(1, 7, &Native.goes_on_for_a_while(&1))
        kill([pid])
        assert_finished(context, 1 + 8)
        assert Native.seen_abandoned() == context.seen
      end

      test "ends it there, though it would never give up", context do
        kill(suspend(5, 1, &Native.never_gives_up(&1)))
        pids = for _ <- 1..5, do: spawn(fn -> Native.yields_for_ever() end)
        Wait.until(fn -> Upcall.info(Native).suspended == 5 end)
        kill(pids)
        assert_finished(context, 0)
      end
    end
  end

  describe "a frame that a living process lets go of" do
    test "is finished", context do
      let_go(fn -> Native.__native_hold__(& &1, 5) end)
      :erlang.garbage_collect()
      assert_finished(context, 7)
    end

    test "is finished when it was refused what it was resumed with", context do
      let_go(fn ->
        {:upcall, frame, roots, _, 1 = step} = Native.__native_hold__(& &1, 5)

        assert_raise ArgumentError, fn ->
          Native.__upcall_resume__(frame, Map.put(roots, 9, 9), step, 1)
        end
      end)

      :erlang.garbage_collect()
      assert_finished(context, 7)
    end
  end

  describe "a frame that can neither go on nor end is parked" do
    test "when a destructor throws", context do
      kill(suspend(5, 1, &Native.destructor_throws(&1)))
      assert_parked(context, 5)
    end

    # By an upcall of a destructor, or by one too many, of which a coroutine makes none.
    if @body == :fiber do
      test "when a destructor makes an upcall while the death of the caller unwinds", context do
        kill(suspend(5, 1, &Native.destructor_calls(&1)))
        assert_parked(context, 5)
      end

      test "when the destructor says that it may throw, too", context do
        kill(suspend(5, 1, &Native.throwing_destructor_calls(&1)))
        assert_parked(context, 5)
      end

      test "when the caller dies during the upcall of a destructor", context do
        kill(suspend(5, 2, &Native.destructor_calls(&1)))
        assert_parked(context, 5)
      end

      test "when it swallows everything and calls again", context do
        kill(suspend(5, 1, &Native.never_gives_up(&1)))
        assert_parked(context, 5)
      end

      test "when it swallows everything and yields again", context do
        pids = for _ <- 1..5, do: spawn(fn -> Native.yields_for_ever() end)
        Wait.until(fn -> Upcall.info(Native).suspended == 5 end)
        kill(pids)
        assert_parked(context, 5)
      end

      test "but not when the destructor says that it may throw, and nothing unwinds", context do
        kill(suspend(5, 2, &Native.throwing_destructor_calls(&1)))
        assert_finished(context, 5)
      end
    end

    @parked_calls if @body == :fiber,
                    do: [:destructor_calls, :never_gives_up],
                    else: [:destructor_throws, :destructor_throws]

    test "and that is reported once" do
      code = """
      import UpcallTest.FrameKill
      alias #{inspect(Native)}, as: Native
      for call <- #{inspect(@parked_calls)}, do: kill(suspend(10, 1, &apply(Native, call, [&1])))
      UpcallTest.Wait.until_no_frames(Native)
      IO.puts("parked: \#{Upcall.info(Native).parked}")
      """

      {output, status} = ChildVM.run(code, require: ["support/frame_abandoned.exs"])
      assert {status, output} == {0, output}
      assert output =~ "parked: 20"

      assert [_, _] =
               String.split(output, "could not be finished and keeps what it holds for good")

      assert output =~
               ~r/upcall: a native frame of (#{Enum.join(@parked_calls, "|")})\/1 could not/
    end
  end

  describe "an error that can go nowhere" do
    test "ends the call, not the VM: out of a noexcept function", context do
      for after_upcall <- [false, true] do
        failure =
          assert_raise RuntimeError, fn ->
            Native.calls_in_noexcept(&fails_at_one/1, after_upcall)
          end

        assert failure.message =~ "what it holds is lost"
        assert failure.message =~ "an exception met a destructor or a noexcept function"
        assert failure.message =~ "the reason"
      end

      assert_parked(context, 2)
    end

    test "that is C++'s own", context do
      failure = assert_raise RuntimeError, fn -> Native.throws_in_noexcept("the reason") end
      assert failure.message =~ "the reason"
      assert_parked(context, 1)
    end

    test "leaves a frame that has ended for its caller", context do
      {:upcall, frame, roots, _, 0 = step} = Native.__native_calls_in_noexcept__(& &1, true)
      assert (1 = step) = Native.__upcall_resume__(frame, roots, step, 0)
      outcome = [:error, :reason, [], nil | "text"]

      assert {:raise_exception, RuntimeError, _} =
               Native.__upcall_resume_raised__(frame, roots, step, outcome)

      assert_raise ArgumentError, ~r/this native frame has ended/, fn ->
        Native.__upcall_resume__(frame, roots, step, 0)
      end

      assert_parked(context, 1)
    end

    # A destructor can't await.
    if @body == :fiber do
      test "out of a destructor in a normal scope exit", context do
        f = fn x -> if x == 2, do: raise("the reason"), else: x end
        failure = assert_raise RuntimeError, fn -> Native.destructor_calls(f) end
        assert failure.message =~ "the reason"
        assert_parked(context, 1)
      end

      test "out of a destructor while another error unwinds", context do
        f = fn x -> raise("reason #{x}") end

        for native <- [&Native.destructor_calls/1, &Native.throwing_destructor_calls/1] do
          assert_raise RuntimeError, ~r/what it holds is lost/, fn -> native.(f) end
        end

        assert_parked(context, 2)
      end

      test "does not stop a destructor from making an upcall while an error unwinds", context do
        test = self()

        f = fn
          1 ->
            raise "the reason"

          2 ->
            send(test, :destructor)
            2
        end

        for native <- [&Native.destructor_calls/1, &Native.throwing_destructor_calls/1] do
          assert_raise RuntimeError, "the reason", fn -> native.(f) end
          assert_received :destructor
        end

        assert_finished(context, 2)
      end
    end
  end

  defp fails_at_one(0), do: 0
  defp fails_at_one(1), do: raise("the reason")

  # Where nothing of it stays on the test's stack.
  defp let_go(f) do
    f.()
    :ok
  end
end
