Code.require_file("support/frame.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies UpcallTest.FrameMisuse do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("frame_misuse_nif", @body)

  defnif objects()
  defnif two_calls(f)
  defnif two_calls_of_text(f)
  defnif two_calls_of_pairs(f)
  defnif two_calls_of_characters(f)
  defnif two_calls_of_own(f)
  defnif two_calls_of_floats(f)
  defnif two_calls_of_large(f)
  defnif two_calls_of_small(f)
  defnif swallows_first(f)
  defnif two_functions(f, g)
  defnif gives_function_back(f)
  defnif drops_other(f, g)
  defnif takes_another(make)
  defnif runs_for_long(f)
  defnif is_running()
  defnif let_end()
  defnif uses_term_before(value, f)
  defnif uses_term_after(value, f)
  defnif returns_term_after(value, f)
  defnif passes_term_after(f, value)
  defnif uses_outcome_after(f)
  defnif keeps_term(value, f)
  defnif stale_after(value, f)
  defnif argument_asks(f)
  defnif argument_yields(value)
  defnif outcome_asks(f)
  defnif sent_value_asks(f, asked)
  defnif asks_again(f, asked)
  defnif result_asks(f)
  defnif raised_by_argument(value, f)
  defnif raised_by_sent_value(f)
  defnif raised_later(f, g)
  defnif raised_at_second_call(f)
  defnif raised_by_result(f)

  # A destructor can't await, and a codec can't look a function up by an `upcall::async_function`.
  if @body == :fiber do
    defnif call_after_result(f, text)
    defnif argument_captures(value)
  end
end

for_both_bodies Upcall.FrameMisuseTest, native: UpcallTest.FrameMisuse do
  use ExUnit.Case

  import Bitwise, only: [<<<: 2]

  alias UpcallTest.{Frame, Wait}

  # However wrongly a frame was used, it was finished, and every object on its stack is destroyed.
  setup do
    on_exit(fn ->
      Wait.until_no_frames(Native)
      assert {count, count} = Native.objects()
      assert Upcall.info(Native).parked == 0
    end)
  end

  @waits_for_another ~r/waits for another upcall, or its roots were changed/
  @forged_roots ~r/the roots of this frame are not those it handed out/

  # `defnif` keeps what these tests use wrongly to itself.
  defp start(name, arguments), do: apply(Native, :"__native_#{name}__", arguments)
  defp resume(frame, roots, step, value), do: Native.__upcall_resume__(frame, roots, step, value)

  # A suspended frame of `two_calls`, whose first call waits for its value.
  defp suspended do
    {:upcall, frame, roots, _fun, 1 = step} = start(:two_calls, [& &1])
    {frame, roots, step}
  end

  defp step_and_argument([step | x]), do: {step, x}
  defp step_and_argument({x, _} = pair) when is_number(x), do: {x, pair}
  defp step_and_argument(x) when is_number(x), do: {x, x}

  # Takes a pair as two arguments.
  defp function({x, _}, f) when is_number(x), do: fn x, y -> f.({x, y}) end
  defp function(_, f), do: f

  defp assert_finishes_after(misuse) do
    {frame, roots, step} = suspended()
    misuse.(frame, roots, step)
    assert (2 = step) = resume(frame, roots, step, 3)
    misuse.(frame, roots, step)
    assert resume(frame, roots, step, 4) == {:return, 43}
  end

  test "a root that is let go leaves with the next request, though that calls the same function" do
    {:upcall, frame, roots, f, 1} = start(:drops_other, [& &1, &(&1 + 1)])
    assert map_size(roots) == 2
    assert {:update, %{} = left, ^f, 2} = resume(frame, roots, 1, 3)
    assert Map.values(left) == [f]
    assert resume(frame, left, 2, 4) == {:return, 7}
  end

  describe "a frame is resumed" do
    test "by hand, as it should be" do
      assert_finishes_after(fn _, _, _ -> :ok end)
    end

    test "twice with the same step" do
      {frame, roots, step} = suspended()
      assert (2 = next_step) = resume(frame, roots, step, 3)

      for _ <- 1..3 do
        assert_raise ArgumentError, @waits_for_another, fn -> resume(frame, roots, step, 3) end
      end

      assert resume(frame, roots, next_step, 4) == {:return, 43}
    end

    # A number is its own token; other requests bring one.
    for {native, one, two} <- [
          {:two_calls_of_text, "1", "2"},
          {:two_calls_of_pairs, {1, "one"}, {2, "two"}},
          {:two_calls_of_characters, 1, 2},
          {:two_calls_of_own, :one, {:return, 2}},
          {:two_calls_of_floats, 1.5, 2.5},
          {:two_calls_of_large, 1 <<< 59, -(1 <<< 59) - 1},
          {:two_calls_of_small, (1 <<< 59) - 1, -(1 <<< 59)}
        ] do
      @native native
      @one one
      @two two

      test "twice with the same step, after its heap was moved: #{native}" do
        {:upcall, frame, roots, _fun, request} = start(@native, [function(@one, & &1)])
        {step, @one} = step_and_argument(request)
        moved = :erlang.binary_to_term(:erlang.term_to_binary(step))
        :erlang.garbage_collect()
        {next_step, @two} = step_and_argument(resume(frame, roots, moved, 3))

        for stale <- [step, moved] do
          assert_raise ArgumentError, @waits_for_another, fn -> resume(frame, roots, stale, 3) end
        end

        :erlang.garbage_collect()
        assert resume(frame, roots, next_step, 4) == {:return, 43}
      end

      test "by defnif with what the function returned: #{native}" do
        test = self()

        f = fn x ->
          send(test, x)
          :erlang.garbage_collect()
          if x === @one, do: 3, else: 4
        end

        assert apply(Native, @native, [function(@one, f)]) == 43
        assert_received @one
        assert_received @two
      end
    end

    test "after its end" do
      {frame, roots, step} = suspended()
      2 = step = resume(frame, roots, step, 3)
      {:return, 43} = resume(frame, roots, step, 4)

      for _ <- 1..3 do
        assert_raise ArgumentError, ~r/this native frame has ended/, fn ->
          resume(frame, roots, step, 4)
        end
      end
    end

    test "after its end by an error" do
      {frame, roots, step} = suspended()
      outcome = [:error, :reason, nil]

      assert {:raise, :error, :reason, []} =
               Native.__upcall_resume_raised__(frame, roots, step, outcome)

      assert_raise ArgumentError, ~r/this native frame has ended/, fn ->
        resume(frame, roots, step, 4)
      end
    end

    test "by another process" do
      assert_finishes_after(fn frame, roots, step ->
        for resume <- [&Native.__upcall_resume__/4, &Native.__upcall_resume_raised__/4] do
          assert %ArgumentError{message: message} =
                   Task.await(Task.async(fn -> failure_of(resume, [frame, roots, step, 3]) end))

          assert message =~ "by the process that made it only"
        end
      end)
    end

    test "by another process while it runs" do
      test = self()

      owner =
        Task.async(fn ->
          {:upcall, frame, roots, _, 1 = step} = start(:runs_for_long, [& &1])
          send(test, {frame, roots, step})
          resume(frame, roots, step, 5)
        end)

      assert_receive {frame, roots, step}
      Wait.until(&Native.is_running/0)

      for _ <- 1..100 do
        assert_raise ArgumentError, ~r/by the process that made it only/, fn ->
          resume(frame, roots, step, 6)
        end
      end

      Native.let_end()
      assert Task.await(owner) == {:return, 5}
    end

    # The race: strangers try while the owner's steps begin, run and end.
    test "by other processes all the time" do
      for _ <- 1..20 do
        {frame, roots, step} = suspended()

        strangers =
          for _ <- 1..4 do
            Task.async(fn ->
              for number <- 1..200 do
                assert %ArgumentError{} =
                         failure_of(&Native.__upcall_resume__/4, [frame, roots, step, number])
              end
            end)
          end

        2 = step = resume(frame, roots, step, 3)
        assert resume(frame, roots, step, 4) == {:return, 43}
        Task.await_many(strangers)
      end
    end

    test "by the function that it waits for" do
      f = fn 1 ->
        {frame, roots, step} = Process.get(:frame)
        resume(frame, roots, step, 3)
      end

      {:upcall, frame, roots, ^f, 1 = step} = start(:two_calls, [f])
      Process.put(:frame, {frame, roots, step})
      assert (2 = next_step) = value = f.(1)

      # The function's own value comes too late: the frame has got one already.
      assert_raise ArgumentError, @waits_for_another, fn -> resume(frame, roots, step, value) end
      assert resume(frame, roots, next_step, 4) == {:return, 43}
    end

    test "with a wrong step" do
      assert_finishes_after(fn frame, roots, step ->
        for wrong <- [step + 1, step - 1, -1, step * 1.0, 1 <<< 64, nil, :a, "1", [step], {step}] do
          assert_raise ArgumentError, @waits_for_another, fn -> resume(frame, roots, wrong, 3) end
        end
      end)
    end

    test "with what is no frame" do
      {frame, roots, step} = suspended()

      {:upcall, frame_of_other_library, _, _, [step_of_other | :x]} =
        Frame.__native_call__(fn x -> x end, :x)

      for wrong <- [
            make_ref(),
            frame_of_other_library,
            self(),
            :a,
            1,
            [frame],
            "",
            nil,
            fn -> 1 end
          ] do
        assert_raise ArgumentError, ~r/expected a native frame of this library/, fn ->
          resume(wrong, roots, step, 3)
        end

        assert_raise ArgumentError, ~r/expected a native frame of this library/, fn ->
          Native.__upcall_wait__(wrong, make_ref())
        end
      end

      # Each library knows its own.
      assert Frame.__upcall_resume__(frame_of_other_library, %{0 => 1}, step_of_other, :y) ==
               {:return, :y}
    end

    test "by a copy of its reference" do
      {frame, roots, step} = suspended()
      bytes = :erlang.term_to_binary(frame)
      # While the frame is there, its name in the external format names it.
      copy = :erlang.binary_to_term(bytes)
      assert copy == frame

      assert %ArgumentError{} =
               Task.await(
                 Task.async(fn ->
                   copy = :erlang.binary_to_term(bytes)
                   failure_of(&Native.__upcall_resume__/4, [copy, roots, step, 3])
                 end)
               )

      assert (2 = step) = resume(copy, roots, step, 3)
      assert {:return, 43} = resume(copy, roots, step, 4)
    end

    test "by a copy of its reference when it is gone" do
      bytes =
        Task.await(
          Task.async(fn ->
            {frame, _, _} = suspended()
            :erlang.term_to_binary(frame)
          end)
        )

      Wait.until_no_frames(Native)

      # The frame's resource may go a little later than its process.
      Wait.until(fn ->
        failure =
          failure_of(&Native.__upcall_resume__/4, [:erlang.binary_to_term(bytes), %{}, 1, 3])

        assert %ArgumentError{message: message} = failure
        message =~ "expected a native frame"
      end)
    end

    test "while it does not wait for its turn" do
      assert_finishes_after(fn frame, _, _ ->
        assert_raise ArgumentError, ~r/does not wait for its turn/, fn ->
          Native.__upcall_wait__(frame, make_ref())
        end
      end)
    end

    test "with a malformed outcome" do
      for outcome <- [
            :a,
            [],
            [:error],
            [:error, 1],
            [:error, 1 | nil],
            [:error, 1, nil | :stack_trace],
            [1 | 2]
          ] do
        {frame, roots, step} = suspended()

        assert {:raise_exception, ArgumentError, "a malformed outcome"} =
                 Native.__upcall_resume_raised__(frame, roots, step, outcome)
      end
    end
  end

  describe "the roots of a frame are forged" do
    test "they have another size, or are no map" do
      assert_finishes_after(fn frame, roots, step ->
        for wrong <- [%{}, Map.put(roots, 7, 7), nil, [], {}, "", 0, Map.to_list(roots)] do
          assert_raise ArgumentError, @waits_for_another, fn -> resume(frame, wrong, step, 3) end
        end
      end)
    end

    test "a function is missing that is called next" do
      {:upcall, frame, roots, _, 1 = step} = start(:two_functions, [& &1, & &1])
      wrong = for {key, value} <- roots, into: %{}, do: {key + 10, value}
      assert {:raise_exception, ArgumentError, message} = resume(frame, wrong, step, 3)
      assert message =~ @forged_roots
    end

    test "something else is where a function was" do
      {:upcall, frame, roots, _, 1 = step} = start(:two_functions, [& &1, & &1])
      wrong = for {key, _} <- roots, into: %{}, do: {key, :not_a_function}

      # Which is what Elixir is asked to call.
      assert {:update, ^wrong, :not_a_function, 2 = step} = resume(frame, wrong, step, 3)
      assert resume(frame, wrong, step, 4) == {:return, 7}
    end

    test "a function is missing that the native call returns" do
      {:upcall, frame, roots, _, 1 = step} = start(:gives_function_back, [& &1])
      assert map_size(roots) == 1
      assert {:raise_exception, ArgumentError, message} = resume(frame, %{7 => 7}, step, 3)
      assert message =~ @forged_roots
    end

    test "the function that is being called is missing when another one is let go" do
      {:upcall, frame, roots, _, 1 = step} = start(:drops_other, [& &1, & &1])
      wrong = for {key, value} <- roots, into: %{}, do: {key + 10, value}
      assert {:raise_exception, ArgumentError, message} = resume(frame, wrong, step, 3)
      assert message =~ @forged_roots
    end

    # A destructor can't await, so the result of a coroutine is its last word.
    if @body == :fiber do
      test "the result is missing that was made already" do
        {:upcall, frame, roots, _, 1 = step} = start(:call_after_result, [& &1, "text"])
        assert {:return, "text"} in Map.values(roots)
        wrong = for {key, value} <- roots, into: %{}, do: {key + 10, value}
        assert {:raise_exception, ArgumentError, message} = resume(frame, wrong, step, 3)
        assert message =~ @forged_roots
      end
    end

    test "a place is taken where the next one goes" do
      {:upcall, frame, roots, _, 1 = step} = start(:takes_another, [& &1])
      wrong = %{((Map.keys(roots) |> hd()) + 1) => fn x -> x end}

      # The native call goes on with what it has; its next roots are not those of such a map.
      case resume(frame, wrong, step, fn x -> x + 1 end) do
        {:raise_exception, ArgumentError, message} ->
          assert message =~ @forged_roots

        {:update, roots, _, 2 = step} ->
          assert_raise ArgumentError, @waits_for_another, fn ->
            resume(frame, roots, step, fn x -> x + 2 end)
          end
      end
    end
  end

  describe "a borrowed term" do
    test "is valid until the next upcall" do
      assert Native.uses_term_before(5, &(&1 * 2)) == 10
    end

    test "is stale after one" do
      stale = ~r/borrowed before an upcall and is stale/
      same = fn x -> x end
      assert_raise ArgumentError, stale, fn -> Native.uses_term_after(5, same) end
      assert_raise ArgumentError, stale, fn -> Native.returns_term_after([5], same) end
      assert_raise ArgumentError, stale, fn -> Native.passes_term_after(same, 5) end
      assert_raise ArgumentError, stale, fn -> Native.uses_outcome_after(same) end
    end

    test "is not stale after an upcall that was not made" do
      assert Native.stale_after(5, fn 1.0 -> :ok end) == {false, true}
    end

    test "can be kept" do
      list = Enum.to_list(1..1_000)

      f = fn x ->
        :erlang.garbage_collect()
        x
      end

      assert Native.keeps_term(list, f) == list
    end
  end

  describe "a codec that makes an upcall" do
    @in_codec ~r/an upcall was made while terms are being encoded or decoded/

    test "of an argument is refused" do
      f = fn _ -> flunk("it was called") end
      assert_raise RuntimeError, @in_codec, fn -> Native.argument_asks(f) end
      assert_raise RuntimeError, @in_codec, fn -> Native.argument_yields(1) end
    end

    # A coroutine awaits what it looks up.
    if @body == :fiber do
      test "of an argument is refused, also to look a function up" do
        assert_raise RuntimeError, @in_codec, fn -> Native.argument_captures(1) end
      end
    end

    test "of what a function returns is refused" do
      assert_raise RuntimeError, @in_codec, fn ->
        Native.outcome_asks(fn -> fn _ -> flunk("it was called") end end)
      end
    end

    test "of what a function is given is refused" do
      f = fn _ -> flunk("it was called") end
      assert_raise RuntimeError, @in_codec, fn -> Native.sent_value_asks(f, f) end
    end

    test "of the result is refused" do
      f = fn _ -> flunk("it was called") end
      assert_raise RuntimeError, @in_codec, fn -> Native.result_asks(f) end
    end

    test "leaves a frame that can make upcalls" do
      assert Native.asks_again(fn _ -> flunk("it was called") end, &(&1 + 1)) == 100
    end
  end

  describe "an exception that a codec has raised in the VM" do
    @raised_by "the codec of (anonymous namespace)::raises_when_encoded raised 7 in the VM"

    test "comes out in the place of the upcall" do
      f = fn _ -> flunk("it was called") end

      assert_raise ArgumentError, ~r/argument 1: the codec of .* raised :badarg in the VM/, fn ->
        Native.raised_by_argument(1, f)
      end

      assert_ended()

      assert message_of(fn -> Native.raised_by_sent_value(f) end) =~
               "argument 1 of the function: " <> @raised_by

      assert_ended()
    end

    test "comes out in a later step, too, and nothing is called after it" do
      test = self()

      f = fn x ->
        send(test, {:called, x})
        x
      end

      message = message_of(fn -> Native.raised_later(f, fn _ -> flunk("it was called") end) end)

      assert message =~ @raised_by
      for x <- 0..9, do: assert_received({:called, ^x})
      refute_received {:called, _}
      assert_ended()
    end

    test "comes out at a later call of the same function, too" do
      test = self()

      f = fn x ->
        send(test, {:called, x})
        x
      end

      assert message_of(fn -> Native.raised_at_second_call(f) end) =~ @raised_by
      for _ <- 1..2, do: assert_received({:called, 0})
      refute_received {:called, _}
      assert_ended()
    end

    test "comes out when the result's codec has raised it" do
      assert message_of(fn -> Native.raised_by_result(& &1) end) =~ "the result: " <> @raised_by
    end
  end

  # The native call has unwound by itself; it was not left to be finished.
  defp assert_ended do
    assert {count, count} = Native.objects()
    assert %{suspended: 0, abandoned: 0} = Upcall.info(Native)
  end

  defp message_of(f), do: assert_raise(ArgumentError, f).message

  defp failure_of(f, arguments) do
    apply(f, arguments)
  rescue
    failure -> failure
  end
end
