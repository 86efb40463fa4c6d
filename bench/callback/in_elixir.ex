defmodule Bench.Callback.InElixir do
  @moduledoc false
  import Bitwise

  alias Bench.{Callback, Contender}

  @spec contenders() :: [Contender.t()]
  def contenders do
    for {name, about, loop} <- [
          {"direct", "fun.(x)", &direct/2},
          {"apply", "apply(fun, [x])", &apply_list/2}
        ],
        count <- Callback.counts() do
      %Contender{
        name: name,
        about: about,
        input: Integer.to_string(count),
        calls: count,
        prepare: &Callback.square/0,
        run: fn fun -> loop.(fun, count) end,
        expected: Callback.expected_sum(count)
      }
    end
  end

  @spec direct((integer() -> integer()), non_neg_integer()) :: integer()
  def direct(fun, count), do: direct(fun, count, 0, 0)
  defp direct(_, count, count, sum), do: sum

  defp direct(fun, count, i, sum),
    do: direct(fun, count, i + 1, rem(sum + fun.(i &&& 1023), 1009))

  # The compiler makes the same instruction of both: they differ by noise.
  defp apply_list(fun, count), do: apply_list(fun, count, 0, 0)
  defp apply_list(_, count, count, sum), do: sum

  defp apply_list(fun, count, i, sum),
    do: apply_list(fun, count, i + 1, rem(sum + apply(fun, [i &&& 1023]), 1009))
end
