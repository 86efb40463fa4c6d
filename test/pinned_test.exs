for name <- ~w(pinned function), do: Code.require_file("support/#{name}.exs", __DIR__)

defmodule UpcallTest.PinnedTest do
  use ExUnit.Case, async: false

  import UpcallTest.Wait, only: [until: 1]

  alias UpcallTest.Pinned, as: Native

  defp square, do: fn x -> x * x end
  defp sum_of_squares(count), do: rem(Enum.sum(for i <- 0..(count - 1), do: i * i), 1009)
  defp no_messages?, do: Process.info(self(), :message_queue_len) == {:message_queue_len, 0}
  # The reference to a call is garbage of the process that made it.
  defp until_none_pinned do
    until(fn -> :erlang.garbage_collect() and Upcall.info(Native).pinned == 0 end)
  end

  defp raise_here, do: raise("here")

  defp reductions, do: elem(Process.info(self(), :reductions), 1)

  describe "a pinned body" do
    test "calls functions in the calling process" do
      Process.put(:here, 7)
      assert Native.sum(fn x -> x + Process.get(:here) end, 10) == 45 + 70
      assert Native.sum(square(), 1_000) == sum_of_squares(1_000)
      assert no_messages?()
    end

    test "may hold a lock and thread-local state across a call" do
      callers = for _ <- 1..8, do: Task.async(fn -> Native.hold_across(fn x -> x end) end)
      assert Enum.all?(Task.await_many(callers))
    end

    test "holds no scheduler: more of them wait than there are schedulers" do
      parent = self()

      callers =
        for _ <- 1..50 do
          Task.async(fn ->
            Native.sum(
              fn x ->
                send(parent, {:inside, self()})
                receive do: (:go -> x)
              end,
              1
            )
          end)
        end

      inside =
        for _ <- callers do
          assert_receive {:inside, pid}, 10_000
          pid
        end

      assert Upcall.info(Native).pinned == 50
      Enum.each(inside, &send(&1, :go))
      assert Enum.sum(Task.await_many(callers)) == 0
      until_none_pinned()
    end

    test "may be nested, and within frames" do
      inner = fn x ->
        Native.sum(fn y -> UpcallTest.Function.apply_one(fn z -> z end, y) end, x)
      end

      assert Native.sum(inner, 5) == Enum.sum(for x <- 0..4, y <- 0..max(x - 1, 0), y < x, do: y)
    end

    test "stays fast with 100,000 other messages in the mailbox, before and during the call" do
      count = 1_000
      for i <- 1..100_000, do: send(self(), {:other, i})
      before = reductions()

      more = fn x ->
        send(self(), {:more, x})
        x
      end

      assert Native.sum(more, count) == rem(div(count * (count - 1), 2), 1009)

      # By reductions, not by time: a message that is passed over costs one, and each of the rounds
      # would pass over all.
      assert reductions() - before < count * 100_000 / 20
      assert Process.info(self(), :message_queue_len) == {:message_queue_len, 101_000}
    end
  end

  describe "threads of a pinned body" do
    test "call functions as well, one after another" do
      running = :counters.new(1, [])

      alone = fn x ->
        :counters.add(running, 1, 1)
        1 = :counters.get(running, 1)
        :counters.sub(running, 1, 1)
        x * x
      end

      assert Native.from_threads(alone, 4, 1_000) == List.duplicate(sum_of_squares(1_000), 4)
      assert no_messages?()
    end

    test "get what a function raises" do
      assert_raise RuntimeError, "x", fn -> Native.raise_in_thread(fn _ -> raise "x" end) end
      assert catch_throw(Native.raise_in_thread(fn _ -> throw(:x) end)) == :x
    end

    test "that outlive the body are told, whatever they were at" do
      for _ <- 1..200 do
        Native.leave_thread(fn x -> x end, self())
        assert_receive text when is_binary(text), 10_000
        assert text =~ "has ended"
      end

      until_none_pinned()
    end
  end

  describe "what works in frames works in pinned calls" do
    test "views and terms" do
      assert Native.echo("text", {:any, [1]}, [1, 2], fn text, any ->
               :erlang.garbage_collect()
               "#{text} #{inspect(any)} "
             end) == ["text {:any, [1]} 1", "text {:any, [1]} 2"]

      assert Native.give_back(fn -> {:term, Enum.to_list(1..3)} end) == {:term, [1, 2, 3]}
    end

    test "functions in containers, returned, kept, passed on, and named" do
      assert Native.drop_functions(fn n -> fn x -> x + n end end, 1_000) ==
               rem(Enum.sum(for i <- 0..999, do: 2 * i), 1009)

      assert Native.call_all([fn x -> x end, fn x -> x * 10 end], 3) == 33
      assert Native.upcase("größe") == "GRÖSSE"
      assert Native.call_kept(square(), 2) == 13
      assert Native.map_here(square(), [1, 2, 3]) == [1, 4, 9]
      function = square()
      assert Native.pass_on(fn f -> f end, function) == function
    end

    test "a function is not copied: it sees the same reference to a large list" do
      list = Enum.to_list(1..100_000)

      assert Native.sum(
               fn x -> if(:erts_debug.same(list, Process.get(:list)), do: x, else: -1) end,
               1
             ) == -1

      Process.put(:list, list)

      assert Native.sum(
               fn _ -> if(:erts_debug.same(list, Process.get(:list)), do: 1, else: -1) end,
               1
             ) == 1
    end

    test "callbacks of C libraries" do
      assert Native.sort_in_c([3, 1, 2], fn a, b -> a - b end) == [1, 2, 3]
      assert_raise RuntimeError, "x", fn -> Native.sort_in_c([2, 1], fn _, _ -> raise "x" end) end

      assert_raise RuntimeError, "x", fn ->
        Native.sort_unguarded([2, 1], fn _, _ -> raise "x" end)
      end
    end

    test "yield, and the question whether the caller is gone" do
      assert Native.yields(fn x -> x end)
    end
  end

  describe "errors" do
    test "pass through with class, reason and stack trace" do
      assert_raise ArithmeticError, fn -> Native.sum(fn x -> div(1, x) end, 1) end
      assert catch_throw(Native.sum(fn _ -> throw(:t) end, 1)) == :t
      assert catch_exit(Native.sum(fn _ -> exit(:e) end, 1)) == :e

      stack_trace =
        try do
          Native.sum(fn _ -> raise_here() end, 1)
        rescue
          _ -> __STACKTRACE__
        end

      assert {__MODULE__, :raise_here, 0, _} = hd(stack_trace)
      assert_raise RuntimeError, "own", fn -> Native.fail("own") end
    end

    test "name the argument and what a function returned" do
      assert_raise ArgumentError,
                   ~r"^UpcallTest.Pinned.sum/2: argument 2: expected an integer.*got: :no$",
                   fn ->
                     Native.sum(square(), :no)
                   end

      assert_raise ArgumentError,
                   ~r"^UpcallTest.Pinned.sum/2: expected an integer .* from #Function<.*, got: \"1\"$",
                   fn ->
                     Native.sum(fn _ -> "1" end, 1)
                   end

      assert_raise ArgumentError,
                   ~r"in what #Function<.* returned: element 2: expected an integer .*, got: nil",
                   fn ->
                     Native.map_here(fn x -> if x == 1, do: 1 end, [1, 2])
                   end

      assert_raise BadArityError, fn -> Native.sum(fn -> 1 end, 1) end
    end

    test "are told when a function is used on a scheduler or after its call" do
      Native.leak(square())
      assert_raise RuntimeError, ~r/called on a scheduler/, fn -> Native.use_leaked() end
      Native.leak(square())
      assert_raise RuntimeError, ~r/has ended/, fn -> Native.use_leaked_pinned() end
    end

    # It would wait for the process, and the process for it.
    test "are told when a function is used by a call that is nested in its own" do
      assert_raise RuntimeError, ~r/belongs to another native call/, fn ->
        Native.leak_and_call(square(), fn _ -> Native.use_leaked_pinned() end)
      end
    end

    test "are told of a term that C++ held the only copy of" do
      for wrong <- ["text", List.duplicate(:long, 50), %{a: [1.5, "b"]}] do
        error = assert_raise ArgumentError, fn -> Native.decode_copy(fn -> wrong end) end
        assert Exception.message(error) =~ ~r/decode_copy\/1: expected an integer .*, got: /
        assert Exception.message(error) =~ inspect(wrong, limit: 10)
      end
    end
  end

  describe "an executor" do
    test "can be called, for the calling process" do
      {:ok, server} = start_supervised(Upcall.Server)
      parent = self()

      assert Native.apply_on(
               fn x -> if(Process.get(:"$callers") == [parent], do: x + 1, else: -1) end,
               server,
               1
             ) == 2
    end

    test "takes terms and functions of the call, as in frames" do
      {:ok, server} = start_supervised(Upcall.Server)
      large = Enum.to_list(1..1_000)
      add = fn x, list -> {self(), x + length(list), list} end

      for apply_terms <- [&Native.apply_terms/3, &Native.apply_terms_in_frame/3],
          _ <- 1..100 do
        assert apply_terms.(server, add, [1, large]) == {server, 1_001, large}

        assert_raise ArgumentError, ~r/params: expected a proper list/, fn ->
          apply_terms.(server, add, :no)
        end
      end

      offset = length(large)

      for apply_function <- [&Native.apply_function/3, &Native.apply_function_in_frame/3] do
        assert apply_function.(server, fn x -> x + offset end, 1) == 1_001
      end
    end

    test "can't be the calling process" do
      {:ok, server} = start_supervised(Upcall.Server)

      assert_raise Upcall.ExecutorError, ~r/would wait for itself/, fn ->
        Native.apply_on(fn _ -> Native.apply_on(fn x -> x end, server, 1) end, server, 1)
      end
    end
  end

  describe "when the caller is killed" do
    # Starts a caller that is inside the function, or about to be.
    defp start_inside(native) do
      parent = self()

      {pid, monitor} =
        spawn_monitor(fn ->
          native.(fn _ ->
            send(parent, :inside)
            Process.sleep(:infinity)
          end)
        end)

      assert_receive :inside, 10_000
      {pid, monitor}
    end

    test "the body is released, and every destructor runs" do
      {made, destroyed} = Native.objects()

      for _ <- 1..100 do
        {pid, monitor} = start_inside(&Native.wait_for_ever/1)
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
      end

      until_none_pinned()
      assert Native.objects() == {made + 100, destroyed + 100}
    end

    test "a body that waits for an executor is released" do
      {:ok, server} = start_supervised(Upcall.Server)
      {pid, monitor} = start_inside(&Native.apply_on(&1, server, 1))
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^monitor, _, _, :killed}
      until_none_pinned()
    end

    test "threads of the body are released" do
      parent = self()

      {pid, monitor} =
        spawn_monitor(fn ->
          Native.leave_thread(fn x -> x end, parent)
          Process.sleep(:infinity)
        end)

      assert_receive text when is_binary(text), 10_000
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^monitor, _, _, :killed}
      until_none_pinned()
    end

    # The body has ended, and the call with it; only the thread still waits.
    test "a thread that the body has left behind is released, too" do
      parent = self()

      for _ <- 1..20 do
        {pid, monitor} =
          start_inside(fn inside ->
            f = fn x ->
              Native.end_body()
              inside.(x)
            end

            Native.leave_thread_waiting(f, parent)
          end)

        until(fn -> match?({count, count}, Native.objects()) end)
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
        assert_receive text when is_binary(text), 10_000
      end

      until_none_pinned()
    end
  end

  describe "misuse of the call's reference" do
    defp suspended do
      {:pinned, call, roots} = Native.__native_sum__(square(), 1)
      turn = make_ref()

      request =
        case Native.__upcall_next__(call, nil, nil, turn) do
          :waiting ->
            receive do
              {:upcall_turn, ^turn} -> Native.__upcall_next__(call, nil, nil, make_ref())
            end

          request ->
            request
        end

      {call, roots, request}
    end

    test "raises, and the call goes on" do
      {call, %{0 => _}, {:apply, 0, [0]}} = suspended()
      call_it = fn arguments -> apply(Native, :__upcall_next__, arguments) end

      for arguments <- [
            [call, nil, nil, make_ref()],
            [call, :returned, 1, :no_reference],
            [make_ref(), :returned, 1, make_ref()],
            [:no_call, :returned, 1, make_ref()],
            [call, :nonsense, 1, make_ref()]
          ] do
        assert_raise ArgumentError, fn -> call_it.(arguments) end
      end

      # By another process.
      task = Task.async(fn -> catch_error(call_it.([call, :returned, 1, make_ref()])) end)
      assert %ArgumentError{} = Task.await(task)

      turn = make_ref()

      ended =
        with :waiting <- call_it.([call, :returned, 5, turn]) do
          receive do
            {:upcall_turn, ^turn} -> call_it.([call, nil, nil, make_ref()])
          end
        end

      assert ended == {:return, 5}
      # What is over stays over.
      assert call_it.([call, nil, nil, make_ref()]) == {:return, 5}
      assert_raise ArgumentError, fn -> call_it.([call, :returned, 1, make_ref()]) end
    end

    test "outcomes that are none are errors of the call" do
      {call, _, _} = suspended()
      turn = make_ref()

      with :waiting <- Native.__upcall_next__(call, :raised, :nonsense, turn) do
        assert_receive {:upcall_turn, ^turn}, 10_000
      end

      assert {:raise_exception, ArgumentError, "a malformed outcome"} =
               Native.__upcall_next__(call, nil, nil, make_ref())
    end
  end
end
