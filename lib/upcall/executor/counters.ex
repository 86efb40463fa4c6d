defmodule Upcall.Counters do
  @moduledoc false
  # What the workers of a pool have done, to be read without asking them.

  @done 1
  @failed 2
  @before_workers 2

  @type t :: :counters.counters_ref()
  @typedoc "A worker's own place, by its number from 1; nil for a server without a pool."
  @type place :: {t(), pos_integer()} | nil

  @spec new(pos_integer()) :: t()
  def new(workers), do: :counters.new(@before_workers + workers, [:write_concurrency])

  @spec begun(place()) :: :ok
  def begun(nil), do: :ok
  def begun({counters, worker}), do: :counters.add(counters, @before_workers + worker, 1)

  @spec ended(place(), :done | :failed) :: :ok
  def ended(nil, _outcome), do: :ok

  def ended({counters, worker}, outcome) do
    case outcome do
      :done -> :counters.add(counters, @done, 1)
      :failed -> :counters.add(counters, @failed, 1)
    end

    :counters.sub(counters, @before_workers + worker, 1)
  end

  @doc """
  Counts what a dead worker was running as failed.
  """
  @spec died({t(), pos_integer()}) :: :ok
  def died({counters, worker}) do
    running = :counters.get(counters, @before_workers + worker)
    :counters.put(counters, @before_workers + worker, 0)
    :counters.add(counters, @failed, running)
  end

  @spec read(t()) :: %{
          running: non_neg_integer(),
          done: non_neg_integer(),
          failed: non_neg_integer()
        }
  def read(counters) do
    workers = :counters.info(counters).size - @before_workers

    %{
      running:
        Enum.sum(for worker <- 1..workers, do: :counters.get(counters, @before_workers + worker)),
      done: :counters.get(counters, @done),
      failed: :counters.get(counters, @failed)
    }
  end
end
