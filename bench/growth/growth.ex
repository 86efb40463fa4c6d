defmodule Bench.Growth do
  @moduledoc false
  # What the parts of the question `growth` share: how does a price grow with a number?

  alias Bench.{Blocking, Contender, Report}

  @doc """
  Returns the setting of a part: shorter than that of others, as a growth is seen through noise.
  """
  @spec setting(String.t()) :: map()
  def setting(axis), do: %{axis: axis, repetitions: 9, run_ns: 5_000_000}

  @doc """
  Makes a contender whose `run` makes `calls` calls and is measured at `number` of what grows.
  """
  @spec contender(String.t(), String.t(), number :: pos_integer(), pos_integer(), keyword()) ::
          Contender.t()
  def contender(name, about, number, calls, fields) do
    struct!(
      Contender,
      [name: name, about: about, input: Integer.to_string(number), calls: calls] ++ fields
    )
  end

  @doc """
  Returns the powers of ten from 1 to `most`.
  """
  @spec powers(pos_integer()) :: [pos_integer()]
  def powers(most), do: 1 |> Stream.iterate(&(&1 * 10)) |> Enum.take_while(&(&1 <= most))

  @doc """
  Makes `count` calls by a native thread through an executor.
  """
  @spec on_executor((integer() -> integer()), atom(), pos_integer()) :: integer()
  def on_executor(fun, executor, count) do
    Blocking.Threads.many(fun, executor, count, self())
    Blocking.await_sum()
  end

  @doc """
  Makes `count` calls by a native thread, as one writes it by hand.
  """
  @spec by_hand((integer() -> integer()), atom(), pos_integer()) :: integer()
  def by_hand(fun, server, count) do
    Blocking.Common.Native.many(server, fun, count)
    Blocking.await_sum()
  end

  @doc """
  Shows the medians, a line for each number and a column for each contender.
  """
  @spec table([Contender.t()], [Report.object()]) :: iodata()
  def table(contenders, rows) do
    names = contenders |> Enum.map(& &1.name) |> Enum.uniq()
    numbers = contenders |> Enum.map(& &1.input) |> Enum.uniq()
    by_key = Map.new(rows, &{{&1[:contender], &1[:input]}, &1})

    [
      line(["" | names]),
      for number <- numbers do
        line([number | Enum.map(names, &median(by_key[{&1, number}]))])
      end,
      Report.legend(contenders)
    ]
  end

  defp median(nil), do: "-"
  defp median(row), do: Report.price(row[:median], row[:unit])

  defp line([number | cells]),
    do: [String.pad_leading(number, 10), Enum.map(cells, &String.pad_leading(&1, 18)), ?\n]
end
