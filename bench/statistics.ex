defmodule Bench.Statistics do
  @moduledoc false
  # The ones that Benchee has, by its definitions.

  @enforce_keys [:median, :p99, :mean, :deviation, :runs]
  defstruct [:median, :p99, :mean, :deviation, :runs]

  @type t :: %__MODULE__{
          median: float(),
          p99: float(),
          mean: float(),
          deviation: float(),
          runs: pos_integer()
        }

  @doc """
  Returns the statistics of samples. The deviation is the one of a sample, not of a population.
  """
  @spec of([number()]) :: t()
  def of(samples) do
    sorted = Enum.sort(samples)
    count = length(sorted)
    middle = Enum.slice(sorted, div(count - 1, 2)..div(count, 2))
    mean = Enum.sum(sorted) / count
    squares = for sample <- sorted, do: (sample - mean) * (sample - mean)

    %__MODULE__{
      median: Enum.sum(middle) / length(middle),
      p99: Enum.at(sorted, ceil(0.99 * count) - 1),
      mean: mean,
      deviation: :math.sqrt(Enum.sum(squares) / max(count - 1, 1)),
      runs: count
    }
  end
end
