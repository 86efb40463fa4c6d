Code.require_file("support/function.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies UpcallTest.FunctionTest, native: UpcallTest.Function do
  use ExUnit.Case, async: true

  describe "a function" do
    test "takes any number of arguments" do
      assert Native.apply_none(fn -> 7 end) == 7
      assert Native.apply_one(&(&1 + 1), 1) == 2
      assert Native.apply_two(fn a, b -> a * 10 + b end) == 12
      assert Native.apply_four(&inspect({&1, &2, &3, &4})) == ~s({"four", 4, 4.5, true})
    end

    test "runs in the process that called" do
      parent = self()
      Process.put(:mark, :mine)

      assert Native.apply_one(
               fn x ->
                 assert self() == parent
                 assert Process.get(:mark) == :mine
                 Process.put(:mark, :changed)
                 x
               end,
               3
             ) == 3

      assert Process.get(:mark) == :changed
    end

    test "may return nothing of interest" do
      assert Native.call_for_effect(&send(self(), &1)) == :ok
      assert_received "first"
      assert_received "second"
    end

    test "takes turns with another one" do
      assert Native.alternate(&(&1 + 1), & &1, 1000) == 1000
    end

    test "may be an external capture" do
      assert Native.apply_one(&Kernel.-/1, 4) == -4
      assert Native.term_result(&System.version/0) == byte_size(System.version())
    end

    test "is found in lists and maps" do
      functions = for n <- 1..100, do: &(&1 * n)
      assert Native.each_of(functions, 2) == Enum.map(1..100, &(&1 * 2))
      assert Native.in_map(%{"double" => &(&1 * 2), "half" => &div(&1, 2)}, "half") == 10
    end

    test "is returned by a function" do
      assert Native.curried(fn a -> fn b -> a + b end end) == 3
    end

    test "goes back to Elixir as the function that it is" do
      inner = fn x -> x + 1 end
      assert Native.give_back(inner) === inner
      assert Native.pass_on(fn f -> if f === inner, do: f.(41) end, inner) == 42
    end

    test "is found by name" do
      assert Native.upcase("straße") == "STRASSE"
      assert_raise UndefinedFunctionError, ~r/NoSuchModule.nothing\/0/, &Native.unknown_mfa/0
    end

    test "of another arity is refused before the call where a spec tells it" do
      assert_raise ArgumentError,
                   ~r"^#{inspect(Native)}.apply_one/2: argument 1: expected a function of arity 1, got: &String.at/2$",
                   fn -> Native.apply_one(&String.at/2, 1) end

      assert_raise ArgumentError, ~r"expected a function of arity 2", fn ->
        Native.apply_two(fn -> 1 end)
      end

      # No spec: the call itself fails.
      assert_raise BadArityError, fn -> Native.apply_none(fn _ -> 1 end) end
    end

    test "that is none is refused" do
      assert_raise ArgumentError,
                   "#{inspect(Native)}.apply_none/1: argument 1: expected a function of arity 0, got: :no",
                   fn -> Native.apply_none(:no) end
    end

    test "that returns the wrong type is named" do
      assert_raise ArgumentError,
                   ~r"^#{inspect(Native)}.apply_one/2: expected an integer from -?\d+ to \d+ from #Function<.*>, got: \"text\"$",
                   fn -> Native.apply_one(fn _ -> "text" end, 1) end
    end

    test "gives a result object instead of an exception" do
      assert Native.try_it(&(&1 + 1)) == "value 2"
      assert Native.try_it(fn _ -> raise "no" end) == "raised ** (RuntimeError) no"
      assert Native.try_it(fn _ -> throw(:ball) end) == "threw ** (throw) :ball"
      assert Native.try_it(fn _ -> exit(:stop) end) == "exited ** (exit) :stop"
      assert Native.try_it(fn _ -> :not_an_integer end) =~ "raised ** (ArgumentError)"

      assert Native.reason_of(fn _ -> raise KeyError, key: :a, term: %{} end) == %KeyError{
               key: :a,
               term: %{}
             }
    end
  end

  describe "existing C++" do
    # It can't await what it calls.
    if @body == :fiber do
      test "takes functions as std::function" do
        assert Native.trapezoid(&(&1 * 2), 0.0, 2.0) == 4.0
        assert_raise ArithmeticError, fn -> Native.trapezoid(&(1 / &1), 0.0, 2.0) end
      end
    end

    test "is bound by member, by overload and under another name" do
      accumulator = Native.accumulator()
      assert Native.add!(accumulator, 4) == 4
      assert Native.add_text(accumulator, "three") == :ok
      assert Native.total?(accumulator) == 9

      assert_raise ArgumentError,
                   ~r/argument 1: expected a reference to a native .*accumulator/,
                   fn ->
                     Native.total?(make_ref())
                   end
    end
  end

  describe "a native object" do
    test "is aligned as its type asks" do
      for _ <- 1..100, do: assert(Native.misalignment(Native.aligned_object()) == 0)
    end
  end

  test "an atom may be a function's static" do
    assert Native.atom_of_function() == :made_late_by_a_function
    assert Native.atom_of_function() == :made_late_by_a_function
  end

  describe "a kept function" do
    test "runs in the process of whoever calls it later" do
      parent = self()

      kept =
        Task.await(
          Task.async(fn ->
            Native.keep(fn x ->
              send(parent, {:ran_in, self()})
              x
            end)
          end)
        )

      assert Native.call_kept(kept, 3) == 3
      for _ <- 1..3, do: assert_received({:ran_in, ^parent})

      task = Task.async(fn -> {self(), Native.call_kept(kept, 1)} end)
      {pid, 0} = Task.await(task)
      assert_received {:ran_in, ^pid}
    end

    test "is shared by many processes" do
      kept = Native.keep(&(&1 * 2))

      1..50
      |> Task.async_stream(fn _ -> Native.call_kept(kept, 100) end, max_concurrency: 50)
      |> Enum.each(fn {:ok, sum} -> assert sum == Enum.sum(0..99) * 2 end)
    end

    test "raises in its caller" do
      kept = Native.keep(fn _ -> raise "kept" end)
      assert_raise RuntimeError, "kept", fn -> Native.call_kept(kept, 1) end
    end
  end

  describe "a function misused" do
    test "after its call has ended" do
      Native.let_escape(& &1)

      for call <- [&Native.call_escaped/0, &Native.keep_escaped/0] do
        assert_raise RuntimeError,
                     ~r/belongs to another native call, or to one that has ended/,
                     call
      end
    end

    test "in a nested call" do
      assert_raise RuntimeError, ~r/belongs to another native call/, fn ->
        Native.apply_one(
          fn x ->
            Native.let_escape(& &1)
            Native.call_escaped()
            x
          end,
          1
        )
      end
    end

    test "on another thread" do
      assert Native.call_on_other_thread(& &1) ==
               "an upcall was made on a thread that runs no native call of Upcall; there, call a function " <>
                 "that is bound to an executor, f.on(executor), or declare the NIF upcall::pinned, " <>
                 "whose threads may call its functions"
    end

    test "after a move" do
      assert_raise RuntimeError, ~r/was moved from/, fn -> Native.call_moved_from(& &1) end
    end
  end

  # C can't await what it calls.
  if @body == :fiber do
    describe "through C" do
      test "a C library calls the function" do
        values = Enum.shuffle(1..500)
        assert Native.sort_in_c(values, &(&1 - &2)) == Enum.to_list(1..500)
        assert Native.sort_in_c(values, &(&2 - &1)) == Enum.to_list(500..1//-1)
      end

      test "the first error comes out when C has returned, and ends the callbacks" do
        counter = :counters.new(1, [])

        assert_raise RuntimeError, "third", fn ->
          Native.sort_in_c(Enum.to_list(1..500), fn a, b ->
            :counters.add(counter, 1, 1)
            if :counters.get(counter, 1) == 3, do: raise("third")
            a - b
          end)
        end

        assert :counters.get(counter, 1) == 3

        assert_raise RuntimeError, "lost?", fn ->
          Native.sort_unguarded([2, 1], fn _, _ -> raise "lost?" end)
        end

        assert catch_throw(Native.sort_in_c([2, 1], fn _, _ -> throw(:ball) end)) == :ball
      end
    end
  end
end
