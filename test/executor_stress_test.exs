Code.require_file("support/soak.exs", __DIR__)

defmodule Upcall.ExecutorStressTest do
  use ExUnit.Case

  @moduletag :slow

  alias UpcallTest.{ExecutorStress, Soak, Wait}

  @slow UpcallTest.Machine.slow?()
  @moduletag timeout: 180_000

  # 1,000,000 in all. A lost wake-up would be a call that hangs: these have no timeout.
  for {name, executor} <- [
        {"a server", Upcall.Server},
        {"a pool", {Upcall.Pool, size: 3, max_queue: 10}}
      ] do
    test "of 500,000 calls of #{name} from 4 threads, none hangs and each has its own answer" do
      executor = start_supervised!(unquote(Macro.escape(executor)))
      per_thread = if @slow, do: 5_000, else: 125_000
      :ok = ExecutorStress.crowd(executor, & &1, 4, per_thread, 0)
      assert_receive {:crowd, counts}, 120_000
      expected = 4 * per_thread
      assert %{returned: ^expected, lies: 0} = counts
    end
  end

  @tag :capture_log
  test "every call ends once, with a true outcome, while executors are killed at random" do
    counts = Soak.run(if @slow, do: 6_000, else: 4_000)
    for kind <- [:returned, :raised, :exited, :threw, :timed_out], do: assert(counts[kind] > 0)
    assert counts.down > 0
    assert counts.calling_self == 0
  end

  test "a pool whose workers are killed is never :noproc" do
    pool = start_supervised!({Upcall.Pool, size: 2, max_queue: 10})
    # Long enough that a kill meets one that runs: what has not begun runs elsewhere.
    work = fn x -> Enum.reduce(1..2_000, x, fn _, same -> same end) end
    :ok = ExecutorStress.crowd(pool, work, 4, if(@slow, do: 1_000, else: 10_000), 0)
    counts = kill_until_crowd(pool, 0)
    assert %{no_executor: 0, timed_out: 0, overloaded: 0, lies: 0} = counts
    assert counts.down > 0

    Wait.until(fn -> Upcall.info(ExecutorStress).calls == 0 end)
  end

  defp kill_until_crowd(pool, round) do
    receive do
      {:crowd, counts} -> counts
    after
      1 ->
        pid = Enum.at(Upcall.Pool.info(pool).workers, rem(round, 2))
        Process.exit(pid, :kill)
        kill_until_crowd(pool, round + 1)
    end
  end
end
