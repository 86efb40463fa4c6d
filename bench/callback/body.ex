defmodule Bench.Callback.Body do
  @moduledoc false
  # The same native calls on either body of a frame.
  import Bitwise

  alias Bench.{Callback, Contender}

  # How many calls of a NIF that makes one upcall, or none, a run has.
  @nif_calls 1000

  @typep native :: ((integer() -> integer()), integer() -> integer())

  @doc """
  Returns the contenders of a body, whose native functions are `many`, `once` and `none`.
  """
  @spec contenders(String.t(), String.t(), native(), native(), native()) :: [Contender.t()]
  def contenders(name, body, many, once, none) do
    many(name, "f(x) #{body}, among many from one NIF call", many, &Callback.square/0) ++
      [
        one_by_one("#{name}_once", "a NIF call #{body} that makes one", "1", once),
        one_by_one("#{name}_none", "a NIF call #{body} that makes none", "0", none)
      ]
  end

  @doc """
  Returns contenders that make many callbacks of the function that `prepare` returns.
  """
  @spec many(String.t(), String.t(), native(), (() -> (integer() -> integer()))) :: [
          Contender.t()
        ]
  def many(name, about, native, prepare) do
    for count <- Callback.counts() do
      %Contender{
        name: name,
        about: about,
        input: Integer.to_string(count),
        calls: count,
        prepare: prepare,
        run: fn fun -> native.(fun, count) end,
        expected: Callback.expected_sum(count)
      }
    end
  end

  @doc """
  Makes a contender of native calls that make one upcall each, or none: `input` says how many.
  """
  @spec one_by_one(String.t(), String.t(), String.t(), native()) :: Contender.t()
  def one_by_one(name, about, input, native) do
    %Contender{
      name: name,
      about: about,
      input: input,
      calls: @nif_calls,
      prepare: &Callback.square/0,
      run: fn fun -> loop(native, fun, @nif_calls, 0, 0) end,
      expected: Callback.expected_sum(@nif_calls)
    }
  end

  defp loop(_, _, count, count, sum), do: sum

  defp loop(native, fun, count, i, sum),
    do: loop(native, fun, count, i + 1, rem(sum + native.(fun, i &&& 1023), 1009))
end
