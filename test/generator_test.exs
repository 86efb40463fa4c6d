defmodule UpcallTest.Generator do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("generator_nif")
  import UpcallTest.Native, only: [defnif_both: 1]

  defnif objects()
  defnif take_computed()
  defnif make_shared()
  defnif with_lock(object, f)
  defnif make_countdown(from)
  defnif countdown_values(countdown)
  defnif wrap_failures(size, f)
  defnif fail_in_c(size)
  defnif argument_yields(argument, size)
  defnif moved_from()
  defnif yield_through_c(count)
  defnif take_statuses_of_c()
  defnif yield_without_yields()
  defnif yield_another_type()

  defnif_both(count(from))
  defnif_both(range(first, last))
  defnif_both(one_by_one(first, last))
  defnif_both(dirty(first, last))
  defnif_both(map(size, f))
  defnif_both(fail_after(size, text))
  defnif_both(copy(source))
  defnif_both(slow(size))
  defnif_both(picky(size))
  defnif_both(count_locked(object))
end

for body <- [:coroutine, :fiber] do
  defmodule Module.concat(Upcall.GeneratorTest, Macro.camelize("#{body}")) do
    use ExUnit.Case

    alias UpcallTest.Generator, as: Native
    alias UpcallTest.Wait

    @body body

    defp native(name, arguments), do: apply(Native, :"#{@body}_#{name}", arguments)

    # Whatever a test did, no frame is left and every object of one is destroyed.
    setup do
      Native.take_computed()

      on_exit(fn ->
        Wait.until_no_frames(Native)
        assert {count, count} = Native.objects()
      end)
    end

    describe "a native enumerable" do
      test "computes ten for who takes ten" do
        count = native(:count, [5])
        assert Native.take_computed() == 0
        assert Enum.take(count, 10) == Enum.to_list(5..14)
        assert Native.take_computed() == 10
      end

      test "computes at most an eighth more than was taken" do
        for taken <- [1, 15, 16, 100, 1_000, 20_000] do
          assert native(:count, [1]) |> Enum.take(taken) |> List.last() == taken
          computed = Native.take_computed()
          assert computed in taken..(taken + div(taken, 8))
        end
      end

      test "computes at most a chunk more, of the size that C++ says" do
        assert native(:one_by_one, [1, 5_000]) |> Enum.take(3_000) |> Enum.sum() == 4_501_500
        assert Native.take_computed() == 3_000
        native(:count, [1]) |> Enum.take(100_000)
        assert Native.take_computed() <= 101_000
      end

      test "computes nothing ahead that takes long" do
        assert Enum.take(native(:slow, [1_000]), 50) == Enum.to_list(0..49)
        assert Native.take_computed() == 50
      end

      test "begins anew for each enumeration" do
        range = native(:range, [1, 1_000])
        assert Enum.sum(range) == 500_500
        assert Enum.sum(range) == 500_500
        assert Enum.to_list(range) == Enum.to_list(1..1_000)
        assert Native.take_computed() == 3_000
      end

      test "may be empty, or of any length" do
        for size <- [0, 1, 2, 15, 16, 17, 18, 1_000, 9_000, 9_001, 12_345] do
          assert Enum.to_list(native(:range, [1, size])) == Enum.to_list(1..size//1)
        end
      end

      test "takes its arguments when it is called" do
        assert_raise ArgumentError, ~r/argument 1: expected an integer.*got: "five"/, fn ->
          native(:count, ["five"])
        end

        assert_raise ArgumentError, ~r/argument 2: expected a function of arity 1/, fn ->
          native(:map, [1, :f])
        end
      end

      test "does what Enum and Stream do with any" do
        range = native(:range, [1, 100])
        assert Enum.count(range) == 100
        assert Enum.member?(range, 100)
        refute Enum.member?(range, 101)
        assert Enum.slice(range, 10, 5) == [11, 12, 13, 14, 15]
        assert Enum.at(range, -1) == 100
        assert Enum.take_while(range, &(&1 < 5)) == [1, 2, 3, 4]
        assert Enum.zip(range, native(:count, [7])) == Enum.zip(1..100, 7..106)
        assert range |> Stream.zip(native(:count, [7])) |> Enum.at(50) == {51, 57}
        assert range |> Stream.chunk_every(40) |> Enum.map(&length/1) == [40, 40, 20]
        assert Enum.flat_map(1..3, &native(:range, [1, &1])) == [1, 1, 2, 1, 2, 3]

        assert range |> Task.async_stream(&(&1 * 2)) |> Enum.map(&elem(&1, 1)) |> Enum.sum() ==
                 10_100
      end

      test "shows what it is" do
        range = native(:range, [1, 2])
        assert inspect(range) == "#Upcall.Generator<UpcallTest.Generator.#{@body}_range(1, 2)>"
      end

      test "runs on dirty schedulers, too" do
        assert Enum.to_list(native(:dirty, [1, 100])) == Enum.to_list(1..100)
        assert Enum.take(native(:dirty, [1, 100]), 3) == [1, 2, 3]
      end

      test "is enumerated in the process that does it" do
        test = self()

        tell = fn i ->
          send(test, {i, self()})
          i
        end

        range = native(:map, [3, tell])
        %{pid: other} = task = Task.async(fn -> Enum.to_list(range) end)
        assert Task.await(task) == [0, 1, 2]
        for i <- 0..2, do: assert_received({^i, ^other})
        assert Enum.to_list(range) == [0, 1, 2]
        for i <- 0..2, do: assert_received({^i, ^test})
      end
    end

    describe "the protocol" do
      @step &__MODULE__.step/2
      def step(x, acc), do: {:suspend, [x | acc]}

      test "is kept: halt and suspend before the first element" do
        count = native(:count, [1])
        assert Enumerable.reduce(count, {:halt, :acc}, @step) == {:halted, :acc}
        assert {:suspended, :acc, continue} = Enumerable.reduce(count, {:suspend, :acc}, @step)
        assert Native.take_computed() == 0
        assert {:suspended, [1], continue} = continue.({:cont, []})
        assert continue.({:halt, :stop}) == {:halted, :stop}
      end

      test "is kept: a suspension after each element, and the end" do
        assert {:suspended, acc, continue} =
                 Enumerable.reduce(native(:range, [1, 40]), {:cont, []}, @step)

        assert go_on(acc, continue) == Enum.to_list(1..40)
      end

      defp go_on(acc, continue) do
        case continue.({:cont, acc}) do
          {:suspended, acc, continue} -> go_on(acc, continue)
          {:done, acc} -> Enum.reverse(acc)
        end
      end

      # Handles of frames are used again, by the next frame of the same process.
      test "an old continuation touches no newer enumeration" do
        step = @step
        one = native(:one_by_one, [1, 40])
        {:suspended, [1], old} = Enumerable.reduce(one, {:cont, []}, step)
        {:suspended, [2], older} = old.({:cont, []})
        assert older.({:halt, []}) == {:halted, []}

        {:suspended, [1], new} = Enumerable.reduce(one, {:cont, []}, step)

        for stale <- [old, older] do
          assert_raise ArgumentError, fn -> stale.({:cont, []}) end
          assert stale.({:halt, []}) == {:halted, []}
        end

        assert {:suspended, [2], new} = new.({:cont, []})
        assert new.({:halt, []}) == {:halted, []}
      end

      test "goes on in the process that began" do
        {:suspended, [1], continue} =
          Enumerable.reduce(native(:one_by_one, [1, 40]), {:cont, []}, @step)

        message = ~r/resumed by the process that made it only/

        Task.await(
          Task.async(fn ->
            assert_raise ArgumentError, message, fn -> continue.({:cont, []}) end
          end)
        )

        assert {:suspended, [2], continue} = continue.({:cont, []})
        continue.({:halt, []})
      end
    end

    describe "the native call has ended, and destroyed what it had," do
      defp all_destroyed do
        {made, destroyed} = Native.objects()
        made == destroyed and Upcall.info(Native).suspended == 0
      end

      test "when the consumer stops early" do
        Enum.take(native(:count, [1]), 3)
        assert all_destroyed()
        assert Enum.find(native(:count, [1]), &(&1 > 1_000)) == 1_001
        assert all_destroyed()
      end

      test "when the consumer raises, throws or exits, which goes on" do
        count = native(:count, [1])
        fail = fn how -> Enum.each(count, fn x -> if x == 20, do: how.() end) end

        assert_raise RuntimeError, "the consumer", fn -> fail.(fn -> raise "the consumer" end) end
        assert all_destroyed()
        assert catch_throw(fail.(fn -> throw(:ball) end)) == :ball
        assert all_destroyed()
        assert catch_exit(fail.(fn -> exit(:stage) end)) == :stage
        assert all_destroyed()
      end

      test "when it ends" do
        assert Enum.sum(native(:range, [1, 100])) == 5_050
        assert all_destroyed()
      end

      test "when the consumer is killed" do
        test = self()

        {pid, monitor} =
          spawn_monitor(fn ->
            Enum.each(native(:count, [1]), fn
              30 ->
                send(test, :at_30)
                Process.sleep(:infinity)

              _ ->
                :ok
            end)
          end)

        assert_receive :at_30
        assert Upcall.info(Native).suspended == 1
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
        Wait.until(&all_destroyed/0)
      end

      test "when a suspended enumeration is dropped" do
        assert begin_and_drop() == 1

        Wait.until(fn ->
          :erlang.garbage_collect()
          all_destroyed()
        end)
      end

      # Where nothing of it stays on the test's stack.
      defp begin_and_drop do
        {:suspended, _, _} = Enumerable.reduce(native(:count, [1]), {:cont, []}, @step)
        Upcall.info(Native).suspended
      end

      # Its handle may be anywhere, so that no frame after it may have that.
      test "when a continuation of an older enumeration is still somewhere" do
        test = self()
        shared = Native.make_shared()
        keeper = start_supervised!({Agent, fn -> nil end})

        {pid, monitor} =
          spawn_monitor(fn ->
            {:suspended, acc, old} = Enumerable.reduce(native(:range, [1, 5]), {:cont, []}, @step)
            Agent.update(keeper, fn _ -> old end)
            assert go_on(acc, old) == [1, 2, 3, 4, 5]

            Native.with_lock(shared, fn ->
              send(test, :locked)
              Process.sleep(:infinity)
            end)
          end)

        assert_receive :locked
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
        Wait.until(&all_destroyed/0)
        assert Native.with_lock(shared, fn -> :ok end) == 0
      end

      # A nested call uses the object when the one that has it is closed.
      test "when a nested call lets go of what it holds" do
        shared = Native.make_shared()

        {:suspended, [1], continue} =
          Enumerable.reduce(native(:count_locked, [shared]), {:cont, []}, @step)

        assert Native.with_lock(shared, fn ->
                 assert continue.({:halt, []}) == {:halted, []}
                 refute all_destroyed()
               end) == 1

        Wait.until(&all_destroyed/0)
        assert Enum.take(native(:count_locked, [shared]), 2) == [2, 3]
        assert all_destroyed()
      end
    end

    describe "a body" do
      test "calls functions in the process that enumerates" do
        test = self()

        f = fn i ->
          assert self() == test
          i * i
        end

        assert Enum.to_list(native(:map, [50, f])) == for(i <- 0..49, do: i * i)
      end

      test "lets their exceptions out, after what it has yielded" do
        f = fn i -> if i == 35, do: raise("at 35"), else: i end
        assert_elements_then(native(:map, [50, f]), Enum.to_list(0..34), RuntimeError, "at 35")
      end

      test "that throws does so after what it has yielded" do
        for size <- [0, 1, 16, 17, 40, 1_000] do
          failing = native(:fail_after, [size, "the end"])
          assert_elements_then(failing, Enum.to_list(0..(size - 1)//1), ArgumentError, "the end")
        end
      end

      test "that yields what has no term fails there, after what it has yielded" do
        assert Enum.to_list(native(:picky, [30])) == Enum.to_list(0..29)

        # Also where that is in the last chunk.
        for size <- 31..40 do
          picky = native(:picky, [size])
          assert_elements_then(picky, Enum.to_list(0..29), ArgumentError, "30 is none")
        end
      end

      test "fails through a zip of streams with its own error" do
        failing = native(:fail_after, [25, "the end"])
        others = [Stream.iterate(0, &(&1 + 1)), native(:count, [1]), Enum.to_list(1..100)]

        for other <- others, pair <- [[failing, other], [other, failing]] do
          for run <- [&Stream.run(Stream.zip(&1)), &Enum.zip/1] do
            assert_raise ArgumentError, "the end", fn -> run.(pair) end
            assert all_destroyed()
          end
        end
      end

      test "is ended when the consumer of a zip raises, or another stream of it" do
        for pair <- [[native(:count, [1]), 1..100], [1..100, native(:count, [1])]] do
          assert_raise RuntimeError, "the consumer", fn ->
            pair
            |> Stream.zip()
            |> Enum.each(fn {x, _} -> if x == 20, do: raise("the consumer") end)
          end

          Wait.until(&all_destroyed/0)
        end

        failing = Stream.map(1..100, fn x -> if x == 20, do: raise("the other"), else: x end)

        for pair <- [[native(:count, [1]), failing], [failing, native(:count, [1])]] do
          assert_raise RuntimeError, "the other", fn -> pair |> Stream.zip() |> Stream.run() end
          Wait.until(&all_destroyed/0)
        end
      end

      defp assert_elements_then(enumerable, elements, exception, message) do
        test = self()
        run = fn -> Enum.each(enumerable, &send(test, {:element, &1})) end
        assert_raise exception, message, run
        for each <- elements, do: assert_received({:element, ^each})
        refute_received _
      end

      test "that reads an enumerable ends that one, too, when it is left early" do
        test = self()

        source =
          Stream.resource(
            fn -> 0 end,
            fn i -> {["line #{i}"], i + 1} end,
            fn i -> send(test, {:closed, i}) end
          )

        assert Enum.take(native(:copy, [source]), 3) == ["line 0", "line 1", "line 2"]
        assert_received {:closed, 3}

        assert_raise RuntimeError, "the consumer", fn ->
          Enum.each(native(:copy, [source]), fn _ -> raise "the consumer" end)
        end

        assert_received {:closed, 1}
        assert Enum.to_list(native(:copy, [Stream.take(source, 100)])) |> length() == 100
        assert_received {:closed, 100}
        refute_received _
      end
    end
  end
end

defmodule Upcall.GeneratorTest do
  use ExUnit.Case

  alias UpcallTest.Generator, as: Native

  test "a member function keeps its object for each enumeration" do
    values = Native.countdown_values(Native.make_countdown(50))
    :erlang.garbage_collect()
    assert Enum.to_list(values) == Enum.to_list(50..1//-1)
    assert Enum.take(values, 2) == [50, 49]
  end

  test "a callback of a C library yields, and tells the library when nobody wants more" do
    assert Enum.to_list(Native.yield_through_c(100)) == Enum.to_list(0..99)
    assert Native.take_statuses_of_c() == 0
    assert Enum.take(Native.yield_through_c(1_000_000), 20) == Enum.to_list(0..19)
    assert Native.take_statuses_of_c() == 7
    assert {count, count} = Native.objects()
  end

  test "a body that wraps its failures may do so when its caller is killed" do
    test = self()

    f = fn ->
      send(test, :suspended)
      Process.sleep(:infinity)
    end

    pid = spawn(fn -> Enum.each(Native.wrap_failures(60, f), & &1) end)
    assert_receive :suspended
    Process.exit(pid, :kill)
    UpcallTest.Wait.until_no_frames(Native)
    assert {count, count} = Native.objects()
  end

  test "what a callback of C failed with comes after all that was yielded" do
    for size <- [0, 1, 17, 33, 40] do
      test = self()

      assert_raise RuntimeError, "in C", fn ->
        Enum.each(Native.fail_in_c(size), &send(test, &1))
      end

      for i <- 0..(size - 1)//1, do: assert_received(^i)
      refute_received _
    end
  end

  test "nothing is yielded after the last chunk" do
    Native.take_computed()
    assert Enum.to_list(Native.argument_yields(:argument, 20)) == Enum.to_list(0..19)
    assert Native.take_computed() == 1
  end

  test "a generator that was moved from is none" do
    assert_raise RuntimeError, ~r/moved from/, fn -> Enum.to_list(Native.moved_from()) end
  end

  test "only a NIF that says so yields, and what it says" do
    message = ~r/does not yield values of type long: declare it with UPCALL_NIF/
    assert_raise RuntimeError, message, fn -> Native.yield_without_yields() end
    message = ~r/does not yield values of type double/
    assert_raise RuntimeError, message, fn -> Enum.to_list(Native.yield_another_type()) end
  end

  describe "a forged" do
    test "generator of no native function is an error" do
      forged = %Upcall.Generator{module: Native, native: :__native_no__, arguments: [1]}
      assert_raise UndefinedFunctionError, fn -> Enum.to_list(forged) end

      other = %Upcall.Generator{module: Native, native: :__native_objects__, arguments: []}

      message =
        ~r/^expected a native function that yields values, got: UpcallTest.Generator.objects\/0/

      assert_raise ArgumentError, message, fn -> Enum.to_list(other) end
    end

    test "close of a frame is an error, and does no harm" do
      assert {:upcall, frame, roots, _, {:generate, token, [1]}} =
               Native.__native_coroutine_count__(1)

      for {frame, roots, token} <- [
            {make_ref(), roots, token},
            {:no, roots, token}
          ] do
        assert_raise ArgumentError, fn -> Native.__upcall_close_frame__(frame, roots, token) end
      end

      assert {:chunk, token, [1]} = Native.__upcall_resume__(frame, roots, token, nil)
      assert Native.__upcall_close_frame__(frame, roots, token) == :ok

      # As streams do that end several.
      assert Native.__upcall_close_frame__(frame, roots, token) == :ok
    end
  end
end
