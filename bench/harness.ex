defmodule Bench.Harness do
  @moduledoc false
  # Repetitions interleave the contenders, so that a machine that slows down or is busy for a while
  # hits all alike, and ratios are taken within a repetition.

  alias Bench.{Contender, Ratio}

  @repetitions 30
  # Long enough for the clock, short enough that a repetition sees one state of the machine.
  @run_ns 15_000_000

  @type statistics :: %{median: float(), p99: float(), mean: float(), runs: pos_integer()}

  @doc """
  Measures the contenders and returns the prices of a call, in nanoseconds, of every repetition.

  `progress` is told the number of the repetition that begins, and how many there are.
  """
  @spec measure([Contender.t()], (pos_integer(), pos_integer() -> term())) :: [Ratio.prices()]
  def measure(contenders, progress) do
    calibrated = Enum.map(contenders, &{&1, calibrate(&1, 1)})

    for repetition <- 1..@repetitions do
      progress.(repetition, @repetitions)
      {last, first} = Enum.split(calibrated, rem(repetition, length(calibrated)))

      Map.new(first ++ last, fn {contender, times} ->
        {{contender.name, contender.input}, run(contender, times) / (times * contender.calls)}
      end)
    end
  end

  @doc """
  Returns the statistics of the samples.
  """
  @spec statistics([float()]) :: statistics()
  def statistics(samples) do
    sorted = Enum.sort(samples)
    count = length(sorted)
    middle = Enum.slice(sorted, div(count - 1, 2)..div(count, 2))

    %{
      median: Enum.sum(middle) / length(middle),
      p99: Enum.at(sorted, ceil(0.99 * count) - 1),
      mean: Enum.sum(sorted) / count,
      runs: count
    }
  end

  # How often the contender runs in one measurement. This warms it up as well.
  defp calibrate(contender, times) do
    case run(contender, times) do
      ns when ns >= @run_ns -> times
      ns when ns < @run_ns / 10 -> calibrate(contender, times * 10)
      ns -> ceil(times * @run_ns / ns)
    end
  end

  # In a process of its own, which no contender before it has given a larger heap.
  defp run(%Contender{} = contender, times) do
    Task.async(fn ->
      state = contender.prepare.()
      # The minor collection moves what the major one has kept out of the way of those to come.
      :erlang.garbage_collect(self(), type: :major)
      :erlang.garbage_collect(self(), type: :minor)

      start = :erlang.monotonic_time(:nanosecond)
      repeat(contender, state, times)
      :erlang.monotonic_time(:nanosecond) - start
    end)
    |> Task.await(:infinity)
  end

  defp repeat(_, _, 0), do: :ok

  defp repeat(contender, state, times) do
    case contender.run.(state) do
      result when result == contender.expected -> repeat(contender, state, times - 1)
      result -> raise wrong_result(contender, result)
    end
  end

  defp wrong_result(contender, result) do
    "contender #{contender.name}, input #{contender.input}: " <>
      "expected #{inspect(contender.expected)}, got: #{inspect(result)}"
  end
end
