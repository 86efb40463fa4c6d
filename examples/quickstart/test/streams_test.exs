defmodule StreamsTest do
  use ExUnit.Case, async: true

  test "gives as many primes as are taken" do
    assert Enum.take(Demo.Streams.primes(), 10) == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    assert Demo.Streams.primes() |> Stream.filter(&(rem(&1, 10) == 3)) |> Enum.at(2) == 23
  end

  test "reads an enumerable, and calls a function for each element" do
    assert Demo.Streams.mean([1, 2, 3], fn x -> 2 * x end) == 4.0
    assert Demo.Streams.mean(Stream.take(Demo.Streams.primes(), 3), fn x -> x end) == 10 / 3
    assert Demo.Streams.mean([], fn x -> x end) == 0.0
  end
end
