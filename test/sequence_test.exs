defmodule UpcallTest.Sequence do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("sequence_nif")
  import UpcallTest.Native, only: [defnif_both: 1]

  defnif objects()
  defnif_both(to_list(source))
  defnif_both(join(source))
  defnif_both(sum_of(source, count))
  defnif_both(drop_then_call(source, f))
  defnif_both(call_for_each(source, f))
  defnif_both(interleave(one, other))
  defnif_both(first_of_both(one, other))
  defnif_both(sum_after_failure(source))
  defnif_both(leave_and_throw(source))
  defnif_both(use_moved_from(source))
  defnif_both(sum_odd(source, f))
  defnif numbers(size)
  defnif count_if_odd(source)
  defnif loop_in_task(source)
  defnif call_all(source)
end

for body <- [:coroutine, :fiber] do
  defmodule Module.concat(Upcall.SequenceTest, Macro.camelize("#{body}")) do
    use ExUnit.Case

    alias UpcallTest.Sequence, as: Native
    alias UpcallTest.Wait

    @body body

    defp native(name, arguments), do: apply(Native, :"#{@body}_#{name}", arguments)

    setup do
      on_exit(fn ->
        Wait.until_no_frames(Native)
        assert {count, count} = Native.objects()
      end)
    end

    # Counts from 1, and tells the test what it gives, and when it is closed.
    defp told do
      test = self()

      Stream.resource(
        fn -> 1 end,
        fn i ->
          send(test, {:given, i})
          {[i], i + 1}
        end,
        fn i -> send(test, {:closed, i}) end
      )
    end

    # Computes for a millisecond.
    defp compute_long(until \\ System.monotonic_time(:microsecond) + 1_000) do
      if System.monotonic_time(:microsecond) < until, do: compute_long(until)
    end

    # What `told` gave, and when it was closed.
    defp given(last \\ 0) do
      receive do
        {:given, i} -> given(i)
        {:closed, i} -> {last, {:closed, i}}
      after
        0 -> {last, :open}
      end
    end

    describe "every enumerable" do
      for {name, source} <- [
            {"a list", quote(do: Enum.to_list(1..2_500))},
            {"an empty list", []},
            {"a list of one", [7]},
            {"a list of a chunk's size", quote(do: Enum.to_list(1..1_000))},
            {"a range", quote(do: 1..2_500)},
            {"an empty range", quote(do: 1..0//1)},
            {"a stream", quote(do: Stream.map(1..2_500, &(&1 * 2)))},
            {"a stream that ends early", quote(do: Stream.take_while(1..2_500, &(&1 < 700)))},
            {"a set", quote(do: MapSet.new(1..100))},
            {"a native generator", quote(do: Native.numbers(2_500))},
            {"a stream of lists", quote(do: Stream.flat_map(1..50, fn i -> [i, -i] end))}
          ] do
        test "is read to its end: #{name}" do
          source = unquote(source)
          all = Enum.to_list(source)
          assert native(:to_list, [source]) == all
        end
      end

      test "may have elements of any type" do
        assert native(:join, [["a", "bc", String.duplicate("d", 100)]]) ==
                 "a.bc." <> String.duplicate("d", 100) <> "."

        assert native(:join, [Stream.map(1..100, &"#{&1}")]) ==
                 Enum.map_join(1..100, &"#{&1}.")
      end

      test "is checked to be one" do
        for wrong <- [:atom, 1, {1, 2}, "text", self()] do
          assert_raise ArgumentError, ~r/argument 1: expected an enumerable, got:/, fn ->
            native(:to_list, [wrong])
          end
        end

        assert_raise Protocol.UndefinedError, fn -> native(:to_list, [& &1]) end
      end
    end

    describe "an infinite one" do
      test "gives what is read, and is closed" do
        assert native(:sum_of, [told(), 10]) == 55
        assert given() == {10, {:closed, 11}}
      end

      test "computes at most an eighth more than is read" do
        for read <- [1, 15, 16, 100, 1_000, 20_000] do
          assert native(:sum_of, [told(), read]) == div(read * (read + 1), 2)
          {given, {:closed, _}} = given()
          assert given in read..(read + div(read, 8))
        end
      end

      test "computes nothing ahead that takes long" do
        assert native(:sum_of, [Stream.each(told(), fn _ -> compute_long() end), 50]) == 1275
        assert {50, {:closed, _}} = given()
      end

      test "is not begun by who reads nothing" do
        assert native(:sum_of, [told(), 0]) == 0
        assert given() == {0, :open}
      end

      test "is closed before the next upcall when it is let go" do
        test = self()

        f = fn 1 ->
          send(test, {:seen, given()})
          5
        end

        assert native(:drop_then_call, [told(), f]) == 5
        assert_received {:seen, {1, {:closed, 2}}}
      end

      test "is closed when the native call fails" do
        f = fn x -> if x == 20, do: raise("at 20"), else: x end
        assert_raise RuntimeError, "at 20", fn -> native(:call_for_each, [told(), f]) end
        assert {_, {:closed, _}} = given()
      end

      test "whose end fails makes the native call fail" do
        source = Stream.resource(fn -> 1 end, &{[&1], &1 + 1}, fn _ -> raise "the end" end)
        assert_raise RuntimeError, "the end", fn -> native(:sum_of, [source, 10]) end
        assert_raise RuntimeError, "the end", fn -> native(:drop_then_call, [source, & &1]) end
        # It has ended, and not only when it is garbage.
        assert Upcall.info(Native).suspended == 0
        assert_raise RuntimeError, "the body", fn -> native(:leave_and_throw, [source]) end
      end

      test "whose end fails does not keep others open" do
        failing = Stream.resource(fn -> 1 end, &{[&1], &1 + 1}, fn _ -> raise "the end" end)

        for {one, other} <- [{failing, told()}, {told(), failing}] do
          f = fn -> native(:first_of_both, [one, other]) end
          assert_raise RuntimeError, "the end", f
          assert given() == {1, {:closed, 2}}
        end
      end

      test "is read again after its last element, and gives none" do
        assert native(:sum_after_failure, [[1, 2, :a, 4]]) == 3
        assert native(:sum_after_failure, [Stream.map([1, 2, :a, 4], & &1)]) == 3
        failing = Stream.map(1..3, fn x -> if x == 3, do: raise("three"), else: x end)
        assert native(:sum_after_failure, [failing]) == 3
      end

      test "leaves nothing when the caller is killed" do
        test = self()

        {pid, monitor} =
          spawn_monitor(fn ->
            native(:call_for_each, [
              Stream.iterate(1, &(&1 + 1)),
              fn
                40 ->
                  send(test, :at_40)
                  Process.sleep(:infinity)

                x ->
                  x
              end
            ])
          end)

        assert_receive :at_40
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
        Wait.until_no_frames(Native)
      end
    end

    describe "upcalls between two elements" do
      test "may move the list that is read" do
        list = Enum.to_list(1..5_000)

        f = fn x ->
          if rem(x, 100) == 0, do: :erlang.garbage_collect()
          x
        end

        assert native(:call_for_each, [list, f]) == Enum.sum(list)
        assert native(:call_for_each, [Stream.map(list, & &1), f]) == Enum.sum(list)
      end

      test "may read other ones" do
        one = Enum.to_list(1..2_000)

        assert native(:interleave, [one, Stream.map(one, &(-&1))]) ==
                 Enum.flat_map(one, &[&1, -&1])

        assert native(:interleave, [told(), Stream.iterate(1, & &1) |> Stream.take(20)])
               |> length() == 40

        assert {_, {:closed, _}} = given()
      end

      test "may read one in another native call" do
        source = Stream.map(1..20, fn x -> native(:sum_of, [1..x, 1_000]) end)
        assert native(:to_list, [source]) == for(x <- 1..20, do: div(x * (x + 1), 2))
      end
    end

    describe "an element of another type" do
      test "is told by its position, after those before it" do
        for wrap <- [& &1, &Stream.map(&1, fn x -> x end)] do
          source = wrap.(Enum.to_list(1..40) ++ [:a] ++ Enum.to_list(1..40))
          assert native(:sum_of, [source, 40]) == 820
          test = self()

          assert_raise ArgumentError,
                       ~r/^UpcallTest.Sequence.#{@body}_call_for_each\/2: element 41 of an enumerable: expected an integer from .* got: :a$/,
                       fn ->
                         native(:call_for_each, [source, &(send(test, {:seen, &1}) |> elem(1))])
                       end

          for x <- 1..40, do: assert_received({:seen, ^x})
          refute_received _
        end
      end

      test "may fail in its codec, at its turn" do
        for source <- [[1, 3, 5, 6, 7], Stream.map([1, 3, 5, 6, 7], & &1)] do
          test = self()

          f = fn x ->
            send(test, {:seen, x})
            x
          end

          assert_raise ArgumentError, "an even number", fn -> native(:sum_odd, [source, f]) end
          for x <- [1, 3, 5], do: assert_received({:seen, ^x})
          refute_received _
        end
      end

      test "is the tail of an improper list" do
        assert_raise ArgumentError, ~r/element 3 .* expected a proper list, got: 3/, fn ->
          native(:to_list, [[1, 2 | 3]])
        end
      end

      test "closes the enumerable" do
        source = Stream.map(told(), fn x -> if x == 3, do: :three, else: x end)
        assert_raise ArgumentError, ~r/element 3/, fn -> native(:to_list, [source]) end
        assert {_, {:closed, _}} = given()
      end
    end

    test "one that was moved from can't be read" do
      assert_raise RuntimeError, ~r/was moved from/, fn -> native(:use_moved_from, [[1]]) end
    end

    test "an enumerable that raises does so in C++, and out of it" do
      source = Stream.map(1..10, fn x -> if x == 5, do: raise(KeyError, key: x), else: x end)
      assert_raise KeyError, fn -> native(:to_list, [source]) end
      assert catch_throw(native(:to_list, [Stream.map(1..3, &throw/1)])) == 1
    end

    test "an enumerable that raises in the middle has cleaned up, and is not asked to again" do
      source = Stream.map(told(), fn x -> if x == 20, do: raise("at 20"), else: x end)
      assert_raise RuntimeError, "at 20", fn -> native(:to_list, [source]) end
      assert given() == {20, {:closed, 21}}
      refute_received {:closed, _}
    end
  end
end

defmodule Upcall.SequenceTest do
  use ExUnit.Case

  alias UpcallTest.Sequence, as: Native

  test "the algorithms of the standard library take it" do
    assert Native.count_if_odd(Stream.map(1..101, & &1)) == 51
  end

  test "a loop over it in a coroutine is told to co_await" do
    assert_raise RuntimeError, ~r/can't wait in the middle/, fn -> Native.loop_in_task([1, 2]) end
  end

  test "its elements may be functions" do
    assert Native.call_all(Stream.map(1..100, fn i -> fn x -> x + i end end)) == 5_150
  end
end
