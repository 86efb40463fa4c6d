Code.require_file("support/result.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies UpcallTest.ResultTest, native: UpcallTest.Result do
  use ExUnit.Case, async: true

  @divided_by_zero {:error, {:exception, %ArithmeticError{message: "division by zero"}}}

  describe "a native call that gives an upcall::result" do
    test "returns {:ok, value}, or {:error, reason}, and raises nothing" do
      assert Native.divide(7, 2) == {:ok, 3}
      assert Native.divide(7, 0) == @divided_by_zero
    end

    test "returns {:ok, :ok} where the result is void" do
      assert Native.check(true) == {:ok, :ok}

      assert Native.check(false) ==
               {:error, {:exception, %ArgumentError{message: "it does not hold"}}}
    end

    test "passes on what a function has come to" do
      assert Native.tried(fn -> "text" end) == {:ok, "text"}
      assert Native.tried(fn -> exit(:done) end) == {:error, {:exit, :done}}
      assert Native.tried(fn -> throw(:ball) end) == {:error, {:throw, :ball}}

      assert Native.tried(fn -> raise KeyError, key: :a, term: %{} end) ==
               {:error, {:exception, %KeyError{key: :a, term: %{}}}}

      assert {:error, {:exception, %ArgumentError{}}} = Native.tried(fn -> :no_string end)
      assert Native.tried_untyped(fn -> {:any, ~c"term"} end) == {:ok, {:any, ~c"term"}}
    end

    test "may have it in a container" do
      assert Native.divide_all([50, 0]) == [{:ok, 2}, @divided_by_zero]
    end

    test "raises where its value has no term" do
      assert_raise ArgumentError, ~r/finite number/, fn -> Native.not_a_number() end
    end

    if @body == :fiber do
      test "does so from a thread of its own, too" do
        assert Native.pinned_divide(7, 2) == {:ok, 3}
        assert Native.pinned_divide(7, 0) == @divided_by_zero
        assert Native.pinned_tried(fn -> throw(:ball) end) == {:error, {:throw, :ball}}
      end

      test "tells of an executor's failure" do
        executor = start_supervised!({Upcall.Server, []})
        assert Native.on_executor(fn -> 1 end, executor) == {:ok, 1}
        assert Native.on_executor(fn -> exit(:done) end, executor) == {:error, {:exit, :done}}
        assert Native.on_executor(fn -> 1 end, :nobody) == {:error, :noproc}
      end
    end
  end
end
