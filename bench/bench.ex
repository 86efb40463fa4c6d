defmodule Bench do
  @moduledoc false

  @native System.get_env(
            "UPCALL_BENCH_NATIVE_DIR",
            Path.expand("../build/bench/native", __DIR__)
          )

  @doc """
  Returns the path of a native library of the benchmarks, without its extension.
  """
  @spec native_path(String.t()) :: Path.t()
  def native_path(name), do: Path.join(@native, name)
end

defmodule Bench.Contender do
  @moduledoc false
  # One way to do what a question asks about.

  @enforce_keys [:name, :about, :input, :calls, :run, :expected]
  defstruct [
    :name,
    :about,
    :input,
    :calls,
    :run,
    :expected,
    :gauge,
    prepare: &__MODULE__.nothing/0,
    finish: &__MODULE__.nothing/1
  ]

  @typedoc """
    * `about` - says what it does, in the legend of a table
    * `prepare` - makes, in the process that is measured, what `run` takes
    * `run` - makes `calls` calls, and returns `expected`
    * `finish` - ends what `prepare` has begun; not measured
    * `gauge` - where not time is measured: reads it, once `prepare` and `run` are done
  """
  @type t :: %__MODULE__{
          name: String.t(),
          about: String.t(),
          input: String.t(),
          calls: pos_integer(),
          prepare: (() -> term()),
          run: (term() -> term()),
          expected: term(),
          finish: (term() -> term()),
          gauge: nil | (term() -> number())
        }

  @spec nothing() :: nil
  def nothing, do: nil

  @spec nothing(term()) :: nil
  def nothing(_), do: nil
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

  @doc """
  Makes the ratio of two contenders.
  """
  @spec over({String.t(), String.t()}, {String.t(), String.t()}, number()) :: t()
  def over({over, input} = over_key, {under, _} = under_key, at_most) do
    %__MODULE__{
      name: "#{over} / #{under}",
      input: input,
      unit: "times",
      at_most: at_most,
      of: fn ns -> ns[over_key] / ns[under_key] end
    }
  end

  @doc """
  Makes a bar for the figure of one contender.
  """
  @spec alone({String.t(), String.t()}, String.t(), number()) :: t()
  def alone({name, input} = key, unit, at_most) do
    %__MODULE__{
      name: name,
      input: input,
      unit: unit,
      at_most: at_most,
      of: fn figures -> figures[key] end
    }
  end

  @doc """
  Makes the difference of two contenders, in nanoseconds.
  """
  @spec above({String.t(), String.t()}, {String.t(), String.t()}, number()) :: t()
  def above({over, input} = over_key, {under, _} = under_key, at_most) do
    %__MODULE__{
      name: "#{over} - #{under}",
      input: input,
      unit: "ns",
      at_most: at_most,
      of: fn ns -> ns[over_key] - ns[under_key] end
    }
  end
end

defmodule Bench.Part do
  @moduledoc false
  # What is measured together and shown in one table. A question has one part or several.

  @typedoc """
    * `axis` - what the inputs of a growth count; `nil` where they are not drawn against
    * `unit` - `"ns"`, or what the gauge of the contenders reads
    * `repetitions`, `run_ns` - how often each contender is measured, and for how long at least
    * `benchee` - that Benchee measures, where it is loaded
  """
  @type setting :: %{
          axis: nil | String.t(),
          unit: String.t(),
          repetitions: pos_integer(),
          run_ns: pos_integer(),
          benchee: boolean()
        }

  # Long enough for the clock, short enough that a repetition sees one state of the machine.
  @default %{axis: nil, unit: "ns", repetitions: 30, run_ns: 15_000_000, benchee: false}

  @callback title() :: String.t()
  @callback contenders() :: [Bench.Contender.t()]
  @callback ratios() :: [Bench.Ratio.t()]
  @callback setting() :: %{optional(atom()) => term()}
  @callback table([Bench.Contender.t()], [Bench.Report.object()]) :: iodata()
  @optional_callbacks ratios: 0, setting: 0, table: 2

  @spec setting(module()) :: setting()
  def setting(part) do
    Map.merge(@default, if(function_exported?(part, :setting, 0), do: part.setting(), else: %{}))
  end

  @spec ratios(module()) :: [Bench.Ratio.t()]
  def ratios(part), do: if(function_exported?(part, :ratios, 0), do: part.ratios(), else: [])

  @spec table(module(), [Bench.Contender.t()], [Bench.Report.object()]) :: iodata()
  def table(part, contenders, rows) do
    if function_exported?(part, :table, 2),
      do: part.table(contenders, rows),
      else: Bench.Report.table(contenders, rows)
  end
end
