defmodule Upcall.Sequence do
  @moduledoc false
  # What an `upcall::sequence` asks for: the elements of an enumerable, a chunk at a time.

  @typep continuation :: (Enumerable.acc() -> Enumerable.result())

  @doc """
  Gives the first `count` elements, and what goes on with the enumeration: `{elements, continuation}`, or
  `elements` alone where there are no more.
  """
  @spec start(Enumerable.t(), pos_integer()) :: {[term(), ...], continuation()} | [term()]
  def start(enumerable, count) do
    next(&Enumerable.reduce(enumerable, &1, fn element, acc -> take(element, acc) end), count)
  end

  @doc """
  Goes on with an enumeration, as `start/2`.
  """
  @spec next(continuation(), pos_integer()) :: {[term(), ...], continuation()} | [term()]
  def next(continuation, count) do
    case continuation.({:cont, {count, []}}) do
      {:suspended, {0, taken}, continuation} -> {:lists.reverse(taken), continuation}
      {ended, {_, taken}} when ended in [:done, :halted] -> :lists.reverse(taken)
    end
  end

  @doc """
  Ends enumerations that native code does not go on with.
  """
  @spec halt([continuation()]) :: :ok
  def halt([]), do: :ok

  def halt([continuation | others]) do
    continuation.({:halt, {0, []}})
    :ok
  after
    # One that fails does not keep the others open.
    halt(others)
  end

  defp take(element, {1, taken}), do: {:suspend, {0, [element | taken]}}
  defp take(element, {left, taken}), do: {:cont, {left - 1, [element | taken]}}
end
