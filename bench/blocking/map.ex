defmodule Bench.Blocking.Map do
  @moduledoc false
  # Many calls by one message, an element each, and what Elixir does without one.
  alias Bench.{Blocking, Callback, Contender}

  @length 10_000
  # By one thread, whose start would show in one of them.
  @times 10

  @doc """
  Returns how many elements there are.
  """
  @spec length() :: pos_integer()
  def length, do: @length

  @spec contenders() :: [Contender.t()]
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__)

    [
      contender("map", "upcall::map of a list, an element", &Callback.square/0, &map/1),
      contender(
        "enum_map",
        "Enum.map/2 of the list, an element",
        fn -> {Callback.square(), numbers()} end,
        &enum_map/1
      )
    ]
  end

  defp contender(name, about, prepare, run) do
    %Contender{
      name: name,
      about: about,
      input: Integer.to_string(@length),
      calls: @times * @length,
      prepare: prepare,
      run: run,
      expected: rem(@times * Callback.expected_sum(@length), 1009)
    }
  end

  defp map(fun) do
    Blocking.Threads.map(fun, __MODULE__, @length, @times, self())
    Blocking.await_sum()
  end

  defp enum_map({fun, numbers}), do: enum_map(fun, numbers, @times, 0)

  defp enum_map(_, _, 0, sum), do: sum

  defp enum_map(fun, numbers, times, sum) do
    sum = numbers |> Enum.map(fun) |> Enum.reduce(sum, &rem(&1 + &2, 1009))
    enum_map(fun, numbers, times - 1, sum)
  end

  defp numbers, do: for(i <- 0..(@length - 1), do: rem(i, 1024))
end
