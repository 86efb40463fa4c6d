defmodule Bench.Blocking do
  @moduledoc false
  # What does a call through an executor cost a thread that waits for it, next to what one writes
  # without Upcall?

  @behaviour Bench.Part

  alias Bench.{Blocking, Callback, Contender, Ratio}

  @in_a_row 1000

  @doc """
  Returns how many calls a thread makes.
  """
  @spec in_a_row() :: pos_integer()
  def in_a_row, do: @in_a_row

  @impl true
  def title, do: "what a call of `fn x -> x * x end` through another process costs"

  @impl true
  def contenders do
    Enum.flat_map(
      [
        Blocking.Common,
        Blocking.Server,
        Blocking.Pool,
        Blocking.Async,
        Blocking.Map,
        Blocking.Pinned
      ],
      & &1.contenders()
    )
  end

  @impl true
  def ratios do
    for {over, under, at_most} <- [
          {"server", "common", 0.5},
          {"server_once", "common_once", 0.5},
          {"pool", "server", 1.25},
          {"async", "common", 0.25},
          {"map", "enum_map", 3},
          {"pinned", "server", 1.3}
        ] do
      Ratio.over({over, input(over)}, {under, input(under)}, at_most)
    end
  end

  defp input(name) do
    cond do
      String.ends_with?(name, "_once") -> "1"
      String.ends_with?(name, "map") -> Integer.to_string(Blocking.Map.length())
      true -> Integer.to_string(@in_a_row)
    end
  end

  @doc """
  Makes a contender of a thread that makes `in_a_row()` calls. `start` starts it; the thread sends
  `{:sum, sum}` to the calling process when it is done.
  """
  @spec thread(String.t(), String.t(), ((integer() -> integer()), pos_integer(), pid() -> term())) ::
          Contender.t()
  def thread(name, about, start) do
    %Contender{
      name: name,
      about: about,
      input: Integer.to_string(@in_a_row),
      calls: @in_a_row,
      prepare: &Callback.square/0,
      run: fn fun ->
        start.(fun, @in_a_row, self())
        await_sum()
      end,
      expected: Callback.expected_sum(@in_a_row)
    }
  end

  @doc """
  Waits for the sum that a thread sends. No scheduler waits.
  """
  @spec await_sum() :: integer()
  def await_sum do
    receive do
      {:sum, sum} -> sum
    end
  end

  @doc """
  Makes a contender of single calls, each by a NIF call of its own.
  """
  @spec once(String.t(), String.t(), ((integer() -> integer()), integer() -> integer())) ::
          Contender.t()
  def once(name, about, call) do
    %Contender{
      name: name,
      about: about,
      input: "1",
      calls: @in_a_row,
      prepare: &Callback.square/0,
      run: fn fun ->
        Enum.reduce(0..(@in_a_row - 1), 0, &rem(&2 + call.(fun, rem(&1, 1024)), 1009))
      end,
      expected: Callback.expected_sum(@in_a_row)
    }
  end
end
