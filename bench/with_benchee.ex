defmodule Bench.WithBenchee do
  @moduledoc false
  # Has Benchee measure, one contender after the other. Each of its runs makes the `calls` of a
  # contender; its statistics become those of a call.

  alias Bench.{Contender, Harness, Statistics}

  @compile {:no_warn_undefined, Benchee}

  @seconds 1
  @warmup_seconds 0.2

  @spec statistics([Contender.t()]) :: [Statistics.t()]
  def statistics(contenders) do
    for %Contender{} = contender <- contenders do
      %{scenarios: [scenario]} =
        Benchee.run(%{contender.name => job(contender)},
          time: @seconds,
          warmup: @warmup_seconds,
          formatters: [],
          print: [benchmarking: false, configuration: false, fast_warning: false]
        )

      of_a_call(scenario.run_time_data.statistics, contender.calls)
    end
  end

  # What a run returned is checked outside of what is measured.
  defp job(contender) do
    {contender.run,
     before_scenario: fn _ -> contender.prepare.() end,
     after_each: fn result -> Harness.check(contender, result) end}
  end

  defp of_a_call(statistics, calls) do
    %Statistics{
      median: statistics.median / calls,
      p99: statistics.percentiles[99] / calls,
      mean: statistics.average / calls,
      deviation: statistics.std_dev / calls,
      runs: statistics.sample_size
    }
  end
end
