defmodule DemoTest do
  use ExUnit.Case, async: true

  test "integrates an Elixir function" do
    assert_in_delta Demo.Native.integrate(fn x -> x * x end, 0.0, 3.0), 9.0, 1.0e-9
    assert_in_delta Demo.Native.integrate(&:math.sin/1, 0, :math.pi()), 2.0, 1.0e-9
  end

  test "lets the function's error pass" do
    assert_raise ArithmeticError, fn -> Demo.Native.integrate(&(1 / &1), 0.0, 1.0) end
  end

  test "names what is wrong" do
    assert_raise ArgumentError,
                 ~r/^Demo.Native.integrate\/3: argument 2: expected a float, got: "0"$/,
                 fn ->
                   Demo.Native.integrate(& &1, "0", 1.0)
                 end
  end

  # What the README prints.
  @session %{
    "Demo.Native.integrate(fn x -> x * x end, 0.0, 3.0)" => "9.000000000000007",
    "Demo.Native.integrate(fn x -> 1 / x end, 0.0, 3.0)" =>
      "** (ArithmeticError) bad argument in arithmetic expression: 1 / 0.0",
    "Enum.take(Demo.Streams.primes(), 10)" => "[2, 3, 5, 7, 11, 13, 17, 19, 23, 29]",
    "Demo.Streams.mean(Stream.take(Demo.Streams.primes(), 100), fn p -> p / 2 end)" => "120.665",
    "Demo.Native.integrate(fn x -> x end, \"0\", 3.0)" =>
      "** (ArgumentError) Demo.Native.integrate/3: argument 2: expected a float, got: \"0\""
  }

  for {call, printed} <- @session do
    test "prints #{printed}" do
      assert evaluate(unquote(call)) == unquote(printed)
    end
  end

  defp evaluate(call) do
    {value, _} = Code.eval_string(call)
    inspect(value)
  rescue
    error ->
      {blamed, _} = Exception.blame(:error, error, __STACKTRACE__)
      Exception.format_banner(:error, blamed)
  end
end
