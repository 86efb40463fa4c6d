Code.require_file("executor_stress.exs", __DIR__)

defmodule UpcallTest.Soak do
  # Calls a server and a pool from several threads of native code, with timeouts at random, while processes
  # that run the functions are killed at random. Every call is to end once, with a true outcome.

  alias UpcallTest.{ExecutorStress, Wait}

  @threads 3
  @calls_per_thread 1_000
  @longest_timeout 3_000
  @longest_wait 60_000

  @doc """
  Runs rounds for so many milliseconds, and returns what was counted in all.

  Raises where a call told something false or was lost, where memory grows, or where a call is left.
  """
  def run(milliseconds) do
    children = [
      {Upcall.Server, name: UpcallTest.SoakServer},
      {Upcall.Pool, name: UpcallTest.SoakPool, size: 3, max_queue: 20}
    ]

    {:ok, supervisor} =
      Supervisor.start_link(children, strategy: :one_for_one, max_restarts: 1_000_000)

    killer = spawn_link(&kill/0)
    finish = now() + milliseconds
    # What the first rounds need, the others find there.
    first = rounds(now() + div(milliseconds, 4), %{})
    before = memory()
    counts = rounds(finish, first)
    ref = Process.monitor(killer)
    send(killer, :stop)
    receive(do: ({:DOWN, ^ref, _, _, _} -> :ok))
    grown = memory() - before
    if grown > div(before, 4) + 20_000, do: raise("memory has grown by #{grown} KB")
    Supervisor.stop(supervisor)
    Wait.until(fn -> Upcall.Frame.info(ExecutorStress).calls == 0 end)
    Map.put(counts, "memory grown, KB", grown)
  end

  defp rounds(finish, counts) do
    counts = Map.merge(counts, round(), fn _, one, more -> one + more end)
    if now() < finish, do: rounds(finish, counts), else: counts
  end

  defp round do
    for executor <- [UpcallTest.SoakServer, UpcallTest.SoakPool] do
      :ok = ExecutorStress.crowd(executor, &work/1, @threads, @calls_per_thread, @longest_timeout)
    end

    one = await_crowd()
    other = await_crowd()
    Map.merge(one, other, fn _, a, b -> a + b end)
  end

  defp await_crowd do
    receive do
      {:crowd, %{lies: 0} = counts} ->
        ended = counts |> Map.delete(:lies) |> Map.values() |> Enum.sum()
        if ended != @threads * @calls_per_thread, do: raise("#{ended} outcomes")
        counts

      {:crowd, counts} ->
        raise "false outcomes: #{inspect(counts)}"
    after
      @longest_wait -> raise "a call hangs"
    end
  end

  # What `is_true` in executor_stress_nif.cpp knows.
  defp work(x) do
    case rem(x, 16) do
      0 -> raise "#{x}"
      1 -> exit(x)
      2 -> throw(x)
      3 -> busy(rem(x * 37, 4_000)) && x
      _ -> x
    end
  end

  defp busy(microseconds), do: busy_until(System.monotonic_time(:microsecond) + microseconds)

  defp busy_until(finish),
    do: System.monotonic_time(:microsecond) >= finish or busy_until(finish)

  # Now and then, some process that runs functions.
  defp kill do
    receive do
      :stop -> :ok
    after
      :rand.uniform(20) ->
        candidates = [Process.whereis(UpcallTest.SoakServer) | workers()]
        pid = Enum.random(candidates)
        if pid, do: Process.exit(pid, :kill)
        kill()
    end
  end

  defp workers, do: Upcall.Pool.info(UpcallTest.SoakPool).workers

  # What is resident, in KB.
  defp memory do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)
    status = File.read!("/proc/self/status")
    [_, kilobytes] = Regex.run(~r/^VmRSS:\s+(\d+) kB$/m, status)
    String.to_integer(kilobytes)
  end

  defp now, do: System.monotonic_time(:millisecond)
end
