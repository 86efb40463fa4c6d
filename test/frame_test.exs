Code.require_file("support/frame.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies Upcall.FrameTest, native: UpcallTest.Frame do
  use ExUnit.Case

  alias UpcallTest.{ChildVM, FrameScenario, Wait}

  @slow UpcallTest.Machine.slow?()

  # Whatever a test did, no frame is left and every object of one is destroyed.
  setup do
    on_exit(fn ->
      Wait.until_no_frames(Native)
      assert {count, count} = Native.objects()
    end)
  end

  describe "an exception that is handled while the frame is suspended" do
    test "is still this frame's own, on whatever thread that goes on" do
      moves = FrameScenario.suspend_in_catch_blocks(Native, 200, 20)
      assert moves > 0 or System.schedulers_online() == 1
    end

    test "is so with eight schedulers, too" do
      code =
        "IO.write(UpcallTest.FrameScenario.suspend_in_catch_blocks(#{inspect(Native)}, 200, 20))"

      {output, status} = ChildVM.run(code, flags: "+S 8:8", require: ["support/frame.exs"])

      assert {status, output} == {0, output}
      assert String.to_integer(output) > 0
    end

    test "can leave the native call afterwards" do
      assert_raise ArgumentError, "the text", fn ->
        Native.rethrow_after_upcall(fn "outer" -> other_scheduler() end, "the text")
      end
    end
  end

  describe "a function runs in the process that called" do
    test "which is itself" do
      assert Native.call(fn _ -> self() end, :x) == self()
    end

    test "with its dictionary and its callers" do
      Process.put(:before, 1)

      Task.await(
        Task.async(fn ->
          Process.put(:before, 2)
          callers = Process.get(:"$callers")

          f = fn x ->
            Process.put(:inside, x)
            {Process.get(:before), Process.get(:"$callers")}
          end

          assert Native.call(f, 3) == {2, callers}
          assert Process.get(:inside) == 3
        end)
      )

      assert Process.get(:before) == 1
      assert Process.get(:inside) == nil
    end

    test "with its Logger metadata" do
      Logger.metadata(request: 7)
      inside = Native.call(fn x -> {Logger.metadata(), Logger.metadata(step: x)} end, 8)
      assert inside == {[request: 7], :ok}
      assert Keyword.take(Logger.metadata(), [:request, :step]) == [request: 7, step: 8]
    end

    test "with its mailbox" do
      send(self(), {:letter, 1})

      assert Native.call(
               fn x ->
                 receive do
                   {:letter, y} -> x + y
                 end
               end,
               2
             ) == 3

      refute_received _
    end

    test "so that a raise has both of them in its stack trace" do
      stack_trace =
        try do
          calls_native(&raises/1)
        rescue
          ArithmeticError -> __STACKTRACE__
        end

      functions = for {module, name, arity, _} <- stack_trace, do: {module, name, arity}
      assert {__MODULE__, :raises, 1} = hd(functions)
      assert {Native, :call, 2} in functions
      assert {__MODULE__, :calls_native, 1} in functions
    end
  end

  describe "a function that calls a native function that calls a function" do
    @depth 1_000

    test "goes #{@depth} calls deep" do
      bottom = fn ->
        assert Upcall.info(Native).suspended == @depth
        0
      end

      assert nest(@depth, bottom) == @depth
    end

    test "may throw at the bottom to the top" do
      {made, destroyed} = Native.objects()
      value = {:from_the_bottom, self()}

      assert catch_throw(nest(@depth, fn -> throw(value) end)) == value
      assert Native.objects() == {made + @depth, destroyed + @depth}
      assert Upcall.info(Native).suspended == 0
    end

    test "may be caught half way" do
      half = fn ->
        try do
          nest(div(@depth, 2), fn -> raise "bottom" end)
        rescue
          RuntimeError -> 0
        end
      end

      assert nest(div(@depth, 2), half) == div(@depth, 2)
    end
  end

  describe "functions that functions return" do
    @count if @slow, do: 50_000, else: 1_000_000

    test "are let go: #{@count} of them keep nothing" do
      tenth = div(@count, 10)
      assert Native.drop_functions(&adder/1, tenth) == sum_of_adders(tenth)
      :erlang.garbage_collect()
      {:memory, memory} = Process.info(self(), :memory)
      heap = Native.native_heap()

      assert Native.drop_functions(&adder/1, @count) == sum_of_adders(@count)

      assert Native.native_heap() < heap + 1_000_000
      :erlang.garbage_collect()
      assert {:memory, memory_after} = Process.info(self(), :memory)
      assert memory_after < 2 * memory + 100_000
    end

    test "leave the roots when they are let go" do
      frame = Native.__native_drop_functions__(&adder/1, 1_000)
      assert {{:return, sum}, largest} = largest_roots(frame)
      assert sum == sum_of_adders(1_000)
      assert largest == 2
    end

    test "may be kept all at once, and be called in any order" do
      count = if @slow, do: 2_000, else: 10_000
      numbers = 0..(count - 1)

      assert Native.keep_functions(&adder/1, count) ==
               {Enum.sum(Enum.map(numbers, &(&1 + &1))),
                Enum.sum(for(i <- numbers, rem(i, 2) == 0, do: i + 1))}
    end
  end

  describe "a view" do
    # Binaries of up to 64 bytes live on the process heap, larger ones beside it.
    for size <- [0, 1, 63, 64, 65, 1_000, 100_000] do
      test "of #{size} bytes outlives collections of the caller's heap" do
        # Nobody else refers to these binaries, and none is a literal.
        bytes = for i <- 1..unquote(size)//1, do: rem(i * 31, 251)

        # `assert` would keep the arguments alive.
        held =
          Native.views_hold(
            :erlang.list_to_binary(bytes),
            :erlang.list_to_binary(bytes),
            :erlang.list_to_binary(bytes),
            fn -> overwrite_heap(unquote(size)) end
          )

        assert held
      end
    end

    test "of a part of a binary does, too" do
      for {from, size} <- [{3, 20}, {100, 5_000}] do
        bytes = for i <- 1..10_000, do: rem(i, 251)
        expected = bytes |> Enum.slice(from, size) |> :erlang.list_to_binary()

        held =
          Native.views_hold(
            binary_part(:erlang.list_to_binary(bytes), from, size),
            binary_part(:erlang.list_to_binary(bytes), from, size),
            expected,
            fn -> overwrite_heap(10_000) end
          )

        assert held
      end
    end
  end

  # A destructor can't await.
  if @body == :fiber do
    describe "the result" do
      test "is right, though destructors of the arguments make upcalls after it was made" do
        values = for i <- 1..1_000, do: String.duplicate("#{i}", rem(i, 40))
        test = self()

        farewell = fn name ->
          fn ->
            overwrite_heap(50)
            other_scheduler()
            send(test, {:farewell, name})
          end
        end

        assert Native.result_then_farewell(farewell.(1), farewell.(2), values) == values
        assert_received {:farewell, 1}
        assert_received {:farewell, 2}
      end

      test "may be an exception" do
        test = self()

        assert_raise RuntimeError, "the text", fn ->
          Native.failure_then_farewell(
            fn ->
              send(test, :farewell)
              overwrite_heap(50)
            end,
            "the text"
          )
        end

        assert_received :farewell
      end
    end
  end

  defp other_scheduler do
    :erlang.process_flag(
      :scheduler,
      rem(:erlang.system_info(:scheduler_id), System.schedulers_online()) + 1
    )
  end

  defp calls_native(f) do
    result = Native.call(f, 0)
    {:not_a_tail_call, result}
  end

  defp raises(x) do
    result = 1 / x
    {:not_a_tail_call, result}
  end

  defp nest(0, bottom), do: bottom.()
  defp nest(depth, bottom), do: Native.nest(fn -> nest(depth - 1, bottom) end)

  defp adder(x), do: fn y -> x + y end

  defp sum_of_adders(count) do
    Enum.reduce(0..(count - 1), 0, fn i, sum -> rem(sum + i + i, 1_009) end)
  end

  # Runs a frame as `defnif` does, and gives its end and the size of its largest roots.
  defp largest_roots({:upcall, frame, roots, fun, request}),
    do: largest_roots(frame, roots, fun, request, map_size(roots))

  defp largest_roots(frame, _, _, {:update, roots, fun, request}, largest),
    do: largest_roots(frame, roots, fun, request, max(largest, map_size(roots)))

  defp largest_roots(frame, roots, fun, [step | x], largest) do
    largest_roots(
      frame,
      roots,
      fun,
      Native.__upcall_resume__(frame, roots, step, fun.(x)),
      largest
    )
  end

  defp largest_roots(frame, roots, fun, x, largest) when is_number(x) do
    largest_roots(
      frame,
      roots,
      fun,
      Native.__upcall_resume__(frame, roots, x, fun.(x)),
      largest
    )
  end

  defp largest_roots(_, _, _, ended, largest), do: {ended, largest}

  # What the collector frees, binaries of that size among it, is written over.
  defp overwrite_heap(size) do
    :erlang.garbage_collect()
    binaries = for _ <- 1..100, do: :binary.copy(<<255>>, size)
    others = Enum.map(1..5_000, &{&1, :binary.copy(<<255>>, 50)})
    true = length(binaries) + length(others) > 0
    :erlang.garbage_collect()
    :ok
  end
end
