Code.require_file("support/error.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies UpcallTest.ErrorTest, native: UpcallTest.Error do
  use ExUnit.Case, async: true

  alias UpcallTest.Hidden

  defmodule Unprintable do
    defexception []
    @impl true
    def message(_), do: raise("no message")
  end

  # The class, reason and stack trace that come out of a native call that `f` ends.
  defp passed(f, native \\ &Native.call/1) do
    native.(f)
  catch
    class, reason -> {class, reason, __STACKTRACE__}
  end

  describe "what a function does" do
    test "comes out as the same class and the same reason" do
      reference = make_ref()
      assert {:throw, ^reference, _} = passed(fn -> throw(reference) end)
      assert {:exit, {:shutdown, ^reference}, _} = passed(fn -> exit({:shutdown, reference}) end)
      assert {:error, {:badkey, :a}, _} = passed(fn -> Map.fetch!(Hidden.value(%{}), :a) end)
      assert {:error, :badarith, _} = passed(fn -> 1 / Process.get(:nothing, 0) end)
      assert {:error, {:own, "reason"}, _} = passed(fn -> :erlang.error({:own, "reason"}) end)
    end

    test "comes out with the stack trace of the raise" do
      {:error, _, stack_trace} = passed(fn -> raise_here() end)
      functions = for {module, function, arity, _} <- stack_trace, do: {module, function, arity}

      assert {__MODULE__, :raise_here, 0} = hd(functions)
      assert {Native, :call, 1} in functions
      assert {__MODULE__, :passed, 2} in functions
    end

    test "is described in C++" do
      assert Native.describe(fn -> raise "text" end) == "** (RuntimeError) text"
      assert Native.describe(fn -> :erlang.error(:badarith) end) =~ "ArithmeticError"
      assert Native.describe(fn -> throw({:a, 1}) end) == "** (throw) {:a, 1}"
      assert Native.describe(fn -> exit(:normal) end) == "** (exit) normal"
    end

    test "may be impossible to describe, or long" do
      assert Native.describe(fn -> raise Unprintable end) =~ "Unprintable"
      assert String.length(Native.describe(fn -> throw(Enum.to_list(1..100_000)) end)) <= 1_000
      assert {:error, %Unprintable{}, _} = passed(fn -> raise Unprintable end)
    end

    test "unwinds the C++ in between" do
      assert {:error, %RuntimeError{message: "through"}, _} =
               passed(fn -> raise "through" end, &Native.unwind/1)
    end

    test "can be looked at in C++ with its stack trace" do
      assert [{__MODULE__, :raise_here, 0, _} | _] = Native.stack_trace(fn -> raise_here() end)
    end

    test "survives another upcall made while it is handled" do
      parent = self()

      assert {:error, %RuntimeError{message: "first"}, _} =
               passed(fn -> raise "first" end, fn f ->
                 Native.handle(f, fn -> send(parent, :handled) end)
               end)

      assert_received :handled
    end

    test "passes through several native calls" do
      assert {:throw, :deep, _} =
               passed(fn -> Native.call(fn -> Native.unwind(fn -> throw(:deep) end) end) end)
    end
  end

  describe "a C++ exception" do
    test "becomes the Elixir exception that fits" do
      for how <- ["invalid_argument", "out_of_range", "domain_error"] do
        assert_raise ArgumentError, "the text", fn -> Native.fail(how, "the text") end
      end

      assert_raise RuntimeError, "the text", fn -> Native.fail("runtime_error", "the text") end
      assert_raise SystemLimitError, fn -> Native.fail("bad_alloc", "") end

      assert_raise RuntimeError, ~r/C\+\+ exception of type .*unknown/, fn ->
        Native.fail("unknown", "")
      end
    end

    test "may be any Elixir exception" do
      assert_raise ArithmeticError, "own text", fn -> Native.fail("raise", "own text") end

      assert_raise KeyError, ~r/"missing"/, fn -> Native.fail("raise_fields", "missing") end

      assert_raise UndefinedFunctionError, ~r/NoSuchException/, fn ->
        Native.fail("raise_nothing", "")
      end
    end

    test "may be described by text that is gone, or by none" do
      for _ <- 1..100 do
        assert_raise ArithmeticError, "t", fn -> Native.fail("raise_temporary", "t") end
        assert_raise RuntimeError, "", fn -> Native.fail("null_what", "") end
      end
    end

    test "can't be translated by an upcall" do
      assert_raise RuntimeError, ~r/an exception is being translated/, fn ->
        Native.be_curious(fn -> :erlang.garbage_collect() end)
      end
    end

    # A destructor can't await.
    if @body == :fiber do
      test "is not lost when its own destructor makes an upcall" do
        for _ <- 1..100 do
          error = catch_error(Native.fail_chattily(fn -> :erlang.garbage_collect() end))
          assert %RuntimeError{message: "a C++ exception of type " <> _} = error
        end
      end
    end

    test "is translated by the user first" do
      assert_raise ArgumentError, "translated", fn -> Native.fail("length_error", "") end

      assert %File.Error{reason: "code 7", action: "own", path: "p"} =
               catch_error(Native.fail("own", ""))
    end

    test "names the NIF in its stack trace" do
      {:error, _, stack_trace} =
        passed(fn -> :unused end, fn _ -> Native.fail("runtime_error", "") end)

      assert {Native, :fail, 2, _} = hd(stack_trace)
    end

    test "may carry text that is not UTF-8, and has a message that is" do
      for {text, message} <- [
            {<<255, ?!>>, "\uFFFD!"},
            {"Gr" <> <<0xF6>> <> "ße", "Gr\uFFFDße"},
            {"cut " <> binary_part("ö", 0, 1), "cut \uFFFD"},
            {<<0xED, 0xA0, 0x80>>, "\uFFFD\uFFFD\uFFFD"}
          ] do
        assert_raise RuntimeError, message, fn -> Native.fail("runtime_error", text) end
        assert_raise ArithmeticError, message, fn -> Native.fail("raise", text) end
      end
    end
  end

  describe "an argument of the wrong type" do
    test "is named with its place, and cut" do
      assert_raise ArgumentError,
                   "#{inspect(Native)}.fail/2: argument 2: expected a string, got: :no",
                   fn -> Native.fail("x", :no) end

      for long <- [
            Enum.to_list(1..100_000),
            2 ** 1_000_000,
            [2 ** 100_000],
            String.duplicate("x", 10_000)
          ] do
        error = catch_error(Native.fail("x", [long]))
        assert String.length(error.message) < 1_200
      end

      assert catch_error(Native.fail("x", -(2 ** 1_000_000))).message =~
               "got: an integer of 125001 bytes"
    end
  end

  defp raise_here, do: raise("here")
end
