defmodule Bench.Harness do
  @moduledoc false
  # Repetitions interleave the contenders, so that a machine that slows down or is busy for a while
  # hits all alike, and ratios are taken within a repetition.

  alias Bench.{Contender, Part, Ratio}

  @doc """
  Measures the contenders and returns the prices of a call, in nanoseconds, of every repetition.

  `progress` is told the number of the repetition that begins, and how many there are.
  """
  @spec measure([Contender.t()], Part.setting(), (non_neg_integer(), pos_integer() -> term())) ::
          [Ratio.prices()]
  def measure(contenders, %{repetitions: repetitions, run_ns: run_ns}, progress) do
    progress.(0, repetitions)
    calibrated = Enum.map(contenders, &{&1, calibrate(&1, 1, run_ns)})

    for repetition <- 1..repetitions do
      progress.(repetition, repetitions)
      {last, first} = Enum.split(calibrated, rem(repetition, length(calibrated)))

      Map.new(first ++ last, fn {contender, times} ->
        {{contender.name, contender.input}, sample(contender, times) / (times * contender.calls)}
      end)
    end
  end

  # How often the contender runs in one measurement. This warms it up as well.
  defp calibrate(%Contender{gauge: gauge}, _, _) when gauge != nil, do: 1

  defp calibrate(contender, times, run_ns) do
    case sample(contender, times) do
      ns when ns >= run_ns -> times
      ns when ns < run_ns / 10 -> calibrate(contender, times * 10, run_ns)
      ns -> ceil(times * run_ns / ns)
    end
  end

  # In a process of its own, which no contender before it has given a larger heap.
  defp sample(%Contender{} = contender, times) do
    Task.async(fn ->
      state = contender.prepare.()
      # The minor collection moves what the major one has kept out of the way of those to come.
      :erlang.garbage_collect(self(), type: :major)
      :erlang.garbage_collect(self(), type: :minor)

      start = :erlang.monotonic_time(:nanosecond)
      repeat(contender, state, times)
      ns = :erlang.monotonic_time(:nanosecond) - start
      sample = if contender.gauge, do: contender.gauge.(state), else: ns
      contender.finish.(state)
      sample
    end)
    |> Task.await(:infinity)
  end

  defp repeat(_, _, 0), do: :ok

  defp repeat(contender, state, times) do
    check(contender, contender.run.(state))
    repeat(contender, state, times - 1)
  end

  @doc """
  Raises where a contender's result is not the one that it must have.
  """
  @spec check(Contender.t(), term()) :: :ok
  def check(%Contender{expected: expected}, result) when result == expected, do: :ok

  def check(contender, result) do
    raise "contender #{contender.name}, input #{contender.input}: " <>
            "expected #{inspect(contender.expected)}, got: #{inspect(result)}"
  end
end
