Code.require_file("support/destructor_frame.exs", __DIR__)

defmodule Upcall.DestructorFrameTest do
  use ExUnit.Case

  alias UpcallTest.DestructorFrame, as: Native
  alias UpcallTest.Wait

  @at_once 10_000

  setup do
    %{parked: parked} = Upcall.info(Native)
    test = self()
    tell = fn number, note -> send(test, {:told, number, note, self()}) end
    %{server: start_supervised!(Upcall.Server), tell: tell, parked: parked}
  end

  defp assert_told(number) do
    assert_receive {:told, ^number, note, process}, @at_once
    {note, process}
  end

  # How many frames were parked since the test began, once all have ended.
  defp parked(context) do
    Wait.until_no_frames(Native)
    Upcall.info(Native).parked - context.parked
  end

  # Kills the caller of a native call in the function that it has been given.
  defp kill_in(native) do
    test = self()

    pid =
      spawn(fn ->
        native.(fn ->
          send(test, :before)
          Process.sleep(:infinity)
        end)
      end)

    assert_receive :before, @at_once
    Process.exit(pid, :kill)
  end

  @no_caller "the process that this native call worked for is gone, and so it calls no function any more; " <>
               "f.on(executor).cast(…) still tells, in a destructor, too"
  @not_awaited "a coroutine (upcall::task) can't wait in the middle of an expression: co_await an " <>
                 "upcall::async_function, an upcall::future or upcall::exclusive::async_lock"

  describe "while an exception unwinds the stack, a destructor" do
    test "casts and calls", %{server: server, tell: tell} = context do
      for {native, thread} <- [{&Native.throws/4, "normal"}, {&Native.throws_pinned/4, "native"}] do
        for {way, notes} <- [
              cast: [{thread, server}],
              try_call: [{"call", server}, {"called", server}],
              call: [{"call", server}, {"called", server}],
              try_call_kept: [{"call", self()}, {"called", server}],
              call_kept: [{"call", self()}, {"called", server}]
            ] do
          assert_raise RuntimeError, "thrown", fn ->
            native.(tell, server, way, fn -> :ok end)
          end

          for note <- notes, do: assert(assert_told(1) == note)
        end
      end

      assert parked(context) == 0
    end

    # The race: an executor runs what was sent for a native call that is told that nobody waits.
    test "casts, and is told by try_call that its caller is gone", context do
      %{server: server, tell: tell} = context

      for native <- [&Native.throws/4, &Native.throws_pinned/4],
          {way, note} <- [cast: "native", try_call: @no_caller, try_call_kept: @no_caller],
          _ <- 1..10 do
        kill_in(&native.(tell, server, way, &1))
        assert assert_told(1) == {note, server}
      end

      assert parked(context) == 0
    end

    test "that calls all the same, is parked with its frame when its caller is gone", context do
      kill_in(&Native.throws(context.tell, context.server, :throws, &1))
      Wait.until(fn -> parked(context) == 1 end)
      refute_received {:told, _, _, _}
    end
  end

  describe "in the destructor of a coroutine's object" do
    test "a cast tells, and try_call says that it can't wait", context do
      %{server: server, tell: tell} = context

      for {way, note} <- [cast: "normal", try_call: @not_awaited, call: @not_awaited] do
        Native.holds_in_coroutine(tell, server, way, fn -> :ok end)
        assert assert_told(1) == {note, server}
      end

      assert parked(context) == 0
    end

    test "a cast tells, and try_call gives a value, when its caller is gone", context do
      %{server: server, tell: tell} = context

      for {way, note} <- [cast: "native", try_call: @not_awaited, try_call_kept: @no_caller] do
        kill_in(&Native.holds_in_coroutine(tell, server, way, &1))
        assert assert_told(1) == {note, server}
      end

      assert parked(context) == 0
    end

    test "an error that leaves it parks the frame, and says what to use", context do
      failure =
        assert_raise RuntimeError, fn ->
          Native.holds_in_coroutine(context.tell, context.server, :throws, fn -> :ok end)
        end

      assert failure.message =~ "in a destructor use cast or try_call"
      assert parked(context) == 1
    end
  end

  describe "in the destructor of a stream that was closed" do
    test "a cast tells, and try_call gives a value", %{server: server, tell: tell} = context do
      for {native, errors} <- [
            {&Native.yields/3, {@no_caller, @no_caller}},
            {&Native.yields_in_coroutine/3, {@not_awaited, @no_caller}}
          ] do
        for {way, note} <- [
              cast: "normal",
              try_call: elem(errors, 0),
              try_call_kept: elem(errors, 1)
            ] do
          assert Enum.take(native.(tell, server, way), 2) == [0, 1]
          assert assert_told(1) == {note, server}
        end
      end

      assert parked(context) == 0
    end

    test "a cast tells, when who enumerated it is gone",
         %{server: server, tell: tell} = context do
      for native <- [&Native.yields/3, &Native.yields_in_coroutine/3] do
        kill_in(fn before -> Enum.each(native.(tell, server, :cast), fn _ -> before.() end) end)
        assert {_, ^server} = assert_told(1)
      end

      assert parked(context) == 0
    end
  end

  describe "with exclusive access to an object, a destructor" do
    test "casts and calls, and the object is free afterwards", context do
      %{server: server, tell: tell} = context
      object = Native.make_object()

      for {way, notes} <- [
            cast: [{"normal", server}],
            try_call: [{"call", server}, {"called", server}],
            call: [{"call", server}, {"called", server}]
          ] do
        Native.holds_object(tell, server, way, object, fn -> :ok end)
        for note <- notes, do: assert(assert_told(1) == note)
      end

      for {way, note} <- [cast: "native", try_call: @no_caller] do
        kill_in(&Native.holds_object(tell, server, way, object, &1))
        assert assert_told(1) == {note, server}
      end

      assert Native.use_object(object) == 4
      assert parked(context) == 0
    end
  end

  describe "while terms are decoded, a destructor" do
    test "casts, and is told that it can't wait", %{server: server, tell: tell} = context do
      for {way, note} <- [
            {:cast, "normal"},
            {:try_call, ~r/while terms are being encoded or decoded/},
            {:try_call_kept, ~r/while terms are being encoded or decoded/}
          ] do
        assert_raise RuntimeError, ~r/thrown by a codec/, fn ->
          Native.decodes(Native.argument(tell, server, way))
        end

        {told, ^server} = assert_told(1)
        assert told =~ note
      end

      assert parked(context) == 0
    end
  end
end
