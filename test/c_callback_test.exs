Code.require_file("support/c_callback.exs", __DIR__)
Code.require_file("support/frame_abandoned.exs", __DIR__)

defmodule UpcallTest.CCallbackTest do
  use ExUnit.Case, async: false

  import UpcallTest.FrameKill, only: [kill: 1]
  import UpcallTest.Wait, only: [until: 1]

  alias UpcallTest.CCallback, as: Native
  alias UpcallTest.ChildVM

  setup do
    Native.stop_all(false)
    # A loop that a test has not ended ends with it.
    on_exit(fn ->
      Native.stop_all(true)
      until(fn -> match?(%{suspended: 0, abandoned: 0}, Upcall.info(Native)) end)
    end)

    {made, destroyed} = Native.objects()
    gave_up = Native.gave_up()

    %{
      parked: Upcall.info(Native).parked,
      made: made,
      destroyed: destroyed,
      gave_up: gave_up
    }
  end

  defp assert_parked(context, count) do
    until(fn ->
      match?(%{suspended: 0, abandoned: 0}, Upcall.info(Native)) and
        Upcall.info(Native).parked == context.parked + count
    end)

    assert Native.gave_up() == context.gave_up
  end

  # Each object was destroyed once, and no frame is parked.
  defp assert_finished(context, objects) do
    until(fn ->
      match?(%{suspended: 0, abandoned: 0}, Upcall.info(Native)) and
        Native.objects() == {context.made + objects, context.destroyed + objects}
    end)

    assert Upcall.info(Native).parked == context.parked
    assert Native.gave_up() == context.gave_up
  end

  # Spawns a caller, and returns when its function has been called.
  defp spawn_calling(answer, call) do
    test = self()

    pid =
      spawn(fn ->
        Process.flag(:trap_exit, true)

        call.(fn x ->
          send(test, {:called, self()})
          answer.(x)
        end)
      end)

    assert_receive {:called, ^pid}, 20_000
    pid
  end

  defp raises(_x), do: raise("the reason")

  defp assert_lost(object) do
    assert_raise RuntimeError, ~r/this native object is lost/, fn -> Native.use_object(object) end
  end

  describe "a C library that goes on asking a callback which has failed" do
    for native <- [:hunt_in_frame, :hunt_in_dirty_frame] do
      test "lets its caller be killed, and is left at its next question: #{native}", context do
        object = Native.make_object()
        pid = spawn_calling(&raises/1, &apply(Native, unquote(native), [&1, object]))
        until(fn -> Upcall.info(Native).suspended == 1 end)
        waiter = Task.async(fn -> assert_lost(object) end)
        kill([pid])
        assert_parked(context, 1)
        Task.await(waiter, 20_000)
        assert_lost(object)
      end
    end

    for native <- [:hunt_pinned, :hunt_on_thread] do
      test "has a thread that sleeps once its caller is dead: #{native}", context do
        object = Native.make_object()
        pid = spawn_calling(&raises/1, &apply(Native, unquote(native), [&1, object]))
        kill([pid])
        assert_parked(context, 1)
        assert_lost(object)
      end

      test "has one also where the caller's death was the failure: #{native}", context do
        object = Native.make_object()
        wait = fn _ -> receive(do: (:never -> 1.0)) end
        pid = spawn_calling(wait, &apply(Native, unquote(native), [&1, object]))
        kill([pid])
        assert_parked(context, 1)
        assert_lost(object)
      end
    end

    test "is left also where the caller's death was the failure", context do
      pids =
        for _ <- 1..10 do
          wait = fn _ -> receive(do: (:never -> 1.0)) end
          spawn_calling(wait, &Native.hunt_in_frame(&1, Native.make_object()))
        end

      kill(pids)
      assert_parked(context, 10)
    end

    test "in a coroutine, which can't be suspended there, is left after a second", context do
      object = Native.make_object()

      failure = assert_raise RuntimeError, fn -> Native.hunt_in_task("the reason", object) end

      assert failure.message =~ "a C library went on asking a callback that had failed"
      assert failure.message =~ "let the on_error of upcall::c_callback make the library return"
      assert failure.message =~ "the reason"
      assert_parked(context, 1)
      assert_lost(object)
    end

    test "is left, too, when who enumerates its values has had enough", context do
      assert Enum.take(Native.hunt_yielding(), 5) == [0.0, 1.0, 2.0, 3.0, 4.0]
      assert_parked(context, 1)
    end

    # Which it would not with the 10,000 questions that are left to it.
    @tag unemulated: "the library has a second to come to its end"
    test "but comes to its end is not left", context do
      values = Enum.to_list(1..20_000)
      pid = spawn_calling(fn _ -> receive(do: (:never -> 1)) end, &sort_counted(values, &1))
      kill([pid])
      assert_finished(context, 0)

      assert_raise RuntimeError, "the reason", fn ->
        Native.sort_in_c(values, fn _, _ -> raise("the reason") end)
      end

      assert_raise RuntimeError, "the reason", fn -> Native.sort_in_task(values, "the reason") end
      assert_finished(context, 0)
    end

    @tag :slow
    test "holds no scheduler" do
      # The only one there is.
      code = """
      alias UpcallTest.CCallback, as: Native
      main = self()
      f = fn _ ->
        send(main, :called)
        raise("the reason")
      end
      pid = spawn(fn -> Native.hunt_in_frame(f, Native.make_object()) end)
      receive(do: (:called -> :ok))
      for _ <- 1..100, do: receive(after: (1 -> :ok))
      IO.puts("suspended: \#{Upcall.info(Native).suspended}")
      Process.exit(pid, :kill)
      UpcallTest.Wait.until_no_frames(Native)
      IO.puts("parked: \#{Upcall.info(Native).parked}, gave up: \#{Native.gave_up()}")
      """

      {output, status} = ChildVM.run(code, flags: "+S 1:1", require: ["support/c_callback.exs"])

      assert {status, output} == {0, output}
      assert output =~ "suspended: 1"
      assert output =~ "parked: 1, gave up: 0"
      assert output =~ "a native frame of hunt_in_frame/2 could not be finished"
      assert output =~ "let callbacks answer so that C returns"
    end
  end

  defp sort_counted(values, f), do: Native.sort_in_c(values, fn a, _ -> f.(a) end)

  describe "an on_error that is a function" do
    for native <- [:minimize, :minimize_pinned] do
      test "can make the library return: #{native}", context do
        assert_raise RuntimeError, "the reason", fn ->
          apply(Native, unquote(native), [fn x -> if x == 5.0, do: raises(x), else: x end])
        end

        assert_finished(context, 0)
      end

      test "does so when the caller is killed: #{native}", context do
        wait = fn _ -> receive(do: (:never -> 1.0)) end
        kill([spawn_calling(wait, &apply(Native, unquote(native), [&1]))])
        assert_finished(context, 0)
      end
    end
  end

  describe "a library that handles failures" do
    for native <- [:script, :script_pinned] do
      test "goes on with what works, and nothing is thrown at its end: #{native}", context do
        f = fn
          2 -> raise "the second"
          4 -> throw(:fourth)
          i -> i * i
        end

        assert ["1", second, "9", fourth, "25"] = apply(Native, unquote(native), [f, 5])
        assert second =~ "the second"
        assert fourth =~ "fourth"
        assert_finished(context, 0)
      end

      test "may be called again by its own function: #{native}" do
        f = fn i ->
          ["1", _failed, "9"] =
            apply(Native, unquote(native), [
              fn
                2 -> raise("no")
                j -> j * j
              end,
              3
            ])

          if i == 1, do: raise("the first"), else: i
        end

        assert [first, "2", "3"] = apply(Native, unquote(native), [f, 3])
        assert first =~ "the first"
      end
    end

    test "is given what C++ has thrown, in a coroutine" do
      assert Native.script_in_task(4) == ["1", "even", "3", "even"]
    end

    test "lets others run between failures that come without an upcall", context do
      pid = spawn(fn -> Native.failing_script() end)
      until(fn -> Upcall.info(Native).suspended == 1 end)
      kill([pid])
      assert_finished(context, 0)
    end

    for native <- [:endless_script, :endless_script_pinned] do
      test "can ask whether anybody waits for it, and end: #{native}", context do
        object = Native.make_object()
        pid = spawn_calling(&raises/1, &apply(Native, unquote(native), [&1, object, true]))
        kill([pid])
        assert Native.use_object(object) == 1
        assert_finished(context, 0)
      end

      test "is parked where it does not ask: #{native}", context do
        object = Native.make_object()
        pid = spawn_calling(&raises/1, &apply(Native, unquote(native), [&1, object, false]))
        kill([pid])
        assert_parked(context, 1)
        assert_lost(object)
      end
    end
  end

  describe "upcall::is_abandoned" do
    for native <- [:compute_dirty_cpu, :compute_dirty_io, :compute_pinned, :compute_on_thread] do
      test "tells native code that computes, and makes no upcall: #{native}" do
        {0, left} = Native.seen()
        pid = spawn(fn -> apply(Native, unquote(native), [fn -> :ok end]) end)
        until(fn -> Native.seen() == {1, left} end)
        Process.exit(pid, :kill)
        until(fn -> Native.seen() == {0, left + 1} end)
      end
    end
  end

  test "each of many threads of a pinned call may be told once that nobody waits", context do
    test = self()
    {0, left} = Native.seen()

    f = fn ->
      send(test, {:called, self()})
      receive(do: (:never -> :ok))
    end

    pid = spawn(fn -> Native.wait_on_threads(f, 150) end)
    assert_receive {:called, ^pid}, 20_000
    kill([pid])
    assert_finished(context, 1)
    assert Native.seen() == {0, left + 150}
  end
end
