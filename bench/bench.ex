defmodule Bench do
  @moduledoc false

  @native Path.expand("../build/bench/native", __DIR__)

  @doc """
  Returns the path of a native library of the benchmarks, without its extension.
  """
  @spec native_path(String.t()) :: Path.t()
  def native_path(name), do: Path.join(@native, name)
end

defmodule Bench.Contender do
  @moduledoc false
  # One way to do what a question asks about.

  @enforce_keys [:name, :input, :calls, :run, :expected]
  defstruct [:name, :input, :calls, :run, :expected, prepare: &__MODULE__.nothing/0]

  @typedoc """
    * `prepare` - makes, in the process that is measured, what `run` takes
    * `run` - makes `calls` calls, and returns `expected`
  """
  @type t :: %__MODULE__{
          name: String.t(),
          input: String.t(),
          calls: pos_integer(),
          prepare: (() -> term()),
          run: (term() -> term()),
          expected: term()
        }

  @spec nothing() :: nil
  def nothing, do: nil
end

defmodule Bench.Ratio do
  @moduledoc false
  # A figure made of one repetition's prices, which are nanoseconds by contender and input, and the
  # bar that it is held to.

  @enforce_keys [:name, :input, :unit, :at_most, :of]
  defstruct [:name, :input, :unit, :at_most, :of]

  @type prices :: %{{contender :: String.t(), input :: String.t()} => float()}
  @type t :: %__MODULE__{
          name: String.t(),
          input: String.t(),
          unit: String.t(),
          at_most: number(),
          of: (prices() -> float())
        }
end

defmodule Bench.Question do
  @moduledoc false

  @callback title() :: String.t()
  @callback contenders() :: [Bench.Contender.t()]
  @callback ratios() :: [Bench.Ratio.t()]
end
