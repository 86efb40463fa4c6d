defmodule Bench.Callback do
  @moduledoc false
  # What does a callback cost a NIF that makes many, next to what Elixir does without one?

  @behaviour Bench.Part

  alias Bench.{Callback, Ratio}

  @few 100
  @many 100_000

  # Two measurements of the same thing differ by up to this.
  @no_slower 1.05

  @doc """
  Returns the lengths of the loops; in a frame, the callbacks of one NIF call.
  """
  @spec counts() :: [pos_integer()]
  def counts, do: [@few, @many]

  @impl true
  def title, do: "what a callback of `fn x -> x * x end` costs"

  @impl true
  def contenders do
    Enum.flat_map(
      [
        Callback.InElixir,
        Callback.Nif,
        Callback.Frame,
        Callback.Task,
        Callback.Sort,
        Callback.Streams
      ],
      & &1.contenders()
    )
  end

  @impl true
  def ratios do
    many = Integer.to_string(@many)

    per_count =
      for count <- Enum.map(counts(), &Integer.to_string/1),
          {over, under, at_most} <- [
            {"frame", "apply", 7},
            {"frame", "nif", 4},
            {"frame_big_closure", "frame", @no_slower},
            {"task", "apply", 5},
            {"task", "nif", 2.5}
          ] do
        Ratio.over({over, count}, {under, count}, at_most)
      end

    per_count ++
      [
        Ratio.above({"frame_none", "0"}, {"nif", many}, 150),
        Ratio.above({"frame_once", "1"}, {"nif", many}, 300),
        Ratio.above({"task_none", "0"}, {"nif", many}, 100),
        Ratio.above({"task_once", "1"}, {"nif", many}, 250),
        per_element("generator", "sum_list", 3),
        per_element("generator", "sum_enumerable", 2),
        per_element("sequence", "sum_list", 2),
        per_element("sequence", "walk", 2),
        %Ratio{
          name: "sort / (its callbacks as frame)",
          input: many,
          unit: "times",
          at_most: 1.5,
          of: fn ns -> ns[{"sort", many}] / ns[{"frame", many}] end
        }
      ]
  end

  defp per_element(over, under, at_most) do
    size = Integer.to_string(Callback.Streams.size())

    Ratio.over({over, size}, {under, size}, at_most)
  end

  @doc """
  Returns the function that every contender calls.
  """
  @spec square() :: (integer() -> integer())
  def square, do: fn x -> x * x end

  @doc """
  Returns the same function, which has captured a list of `length` elements.
  """
  @spec square_with_list(non_neg_integer()) :: (integer() -> integer())
  def square_with_list(length) do
    list = for i <- 1..length//1, do: i

    fun = fn
      x when is_integer(x) -> x * x
      :captured -> list
    end

    # Made sure of, as an optimiser could leave the list out.
    {:env, [^list]} = Function.info(fun, :env)
    fun
  end

  @doc """
  Returns what a loop of `count` calls comes to, computed in another way than the loops do.

  The remainder keeps the sums small integers: large ones cost more, and hide what a call costs.
  """
  @spec expected_sum(pos_integer()) :: non_neg_integer()
  def expected_sum(count) do
    rem(div(count, 1024) * sum_of_squares(1024) + sum_of_squares(rem(count, 1024)), 1009)
  end

  # Of 0 to `count` - 1.
  defp sum_of_squares(count), do: div((count - 1) * count * (2 * count - 1), 6)
end
