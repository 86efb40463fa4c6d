Code.require_file("executor_stress.exs", __DIR__)

defmodule UpcallTest.Soak do
  # Calls a server and a pool from several threads of native code, with timeouts at random, while processes
  # that run the functions are killed at random. Every call is to end once, with a true outcome. Others cast:
  # what was accepted is to run once, or to be counted as lost with a process that has died; what was refused,
  # never.

  alias UpcallTest.{ExecutorStress, Wait}

  @threads 3
  @calls_per_thread 1_000
  @casts_per_thread 2_000
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

    kills = :counters.new(1, [])
    killer = spawn_link(fn -> kill(kills) end)
    finish = now() + milliseconds
    # What the first rounds need, the others find there.
    first = rounds(now() + div(milliseconds, 4), %{}, kills)
    before = memory()
    counts = rounds(finish, first, kills)
    ref = Process.monitor(killer)
    send(killer, :stop)
    receive(do: ({:DOWN, ^ref, _, _, _} -> :ok))
    grown = memory() - before
    if grown > div(before, 4) + 20_000, do: raise("memory has grown by #{grown} KB")
    Supervisor.stop(supervisor)
    Wait.until(fn -> Upcall.info(ExecutorStress).calls == 0 end)
    Map.put(counts, "memory grown, KB", grown)
  end

  defp rounds(finish, counts, kills) do
    counts = Map.merge(counts, run_round(kills), fn _, one, more -> one + more end)
    if now() < finish, do: rounds(finish, counts, kills), else: counts
  end

  defp run_round(kills) do
    killed_before = :counters.get(kills, 1)
    lost_before = Upcall.info(ExecutorStress).lost_casts

    casts =
      for executor <- [UpcallTest.SoakServer, UpcallTest.SoakPool] do
        :ok =
          ExecutorStress.crowd(executor, &work/1, @threads, @calls_per_thread, @longest_timeout)

        start_casts(executor)
      end

    ended = for _ <- 1..2, do: await_crowd()
    cast = for runs <- casts, do: check_runs(runs, await_casts(runs))
    Wait.until(fn -> Upcall.info(ExecutorStress).calls == 0 end)
    lost = Upcall.info(ExecutorStress).lost_casts - lost_before
    cast = Enum.reduce([%{"casts lost" => lost} | cast], &add/2)
    check_casts(cast, :counters.get(kills, 1) - killed_before)
    Enum.reduce([cast | ended], &add/2)
  end

  defp add(one, other), do: Map.merge(one, other, fn _, a, b -> a + b end)

  # How often each cast has run to its last line.
  defp start_casts(executor) do
    runs = :atomics.new(@threads * @casts_per_thread, [])
    soak = self()

    spawn_link(fn ->
      run = fn x ->
        if rem(x, 50) == 0, do: busy(500)
        if rem(x, 40) == 0, do: empty_mailbox()
        :atomics.add(runs, x + 1, 1)
        if rem(x, 16) < 3, do: work(rem(x, 16))
      end

      ExecutorStress.cast_crowd(run, executor, @threads, @casts_per_thread, self())
      receive(do: ({:cast_crowd, refused} -> send(soak, {:casts, runs, refused})))
    end)

    runs
  end

  defp await_casts(runs) do
    receive do
      {:casts, ^runs, refused} -> refused
    after
      @longest_wait -> raise "a cast hangs"
    end
  end

  # When nothing is under way any more.
  defp check_runs(runs, refused) do
    Wait.until(fn -> Upcall.info(ExecutorStress).calls == 0 end)

    for x <- refused,
        :atomics.get(runs, x + 1) != 0,
        do: raise("cast #{x} was refused and has run")

    times = for i <- 1..(@threads * @casts_per_thread), do: :atomics.get(runs, i)
    if Enum.max(times) > 1, do: raise("a cast has run twice")
    accepted = @threads * @casts_per_thread - length(refused)
    %{"casts accepted" => accepted, "casts run" => Enum.sum(times)}
  end

  # A process may be killed after the last line of a cast and before it could say so: that counts as both.
  defp check_casts(
         %{"casts accepted" => accepted, "casts run" => run, "casts lost" => lost},
         kills
       ) do
    unless (run + lost - accepted) in 0..kills do
      raise "#{accepted} casts were accepted, #{run} have run, #{lost} are lost, of #{kills} kills"
    end
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
      0 ->
        raise "#{x}"

      1 ->
        exit(x)

      2 ->
        throw(x)

      3 ->
        busy(rem(x * 37, 4_000))
        x

      _ ->
        x
    end
  end

  # It is no business of the function's what it finds there.
  defp empty_mailbox do
    receive do
      _ -> empty_mailbox()
    after
      0 -> :ok
    end
  end

  defp busy(microseconds), do: busy_until(System.monotonic_time(:microsecond) + microseconds)

  defp busy_until(finish),
    do: System.monotonic_time(:microsecond) >= finish or busy_until(finish)

  # Now and then, some process that runs functions.
  defp kill(kills) do
    receive do
      :stop -> :ok
    after
      :rand.uniform(20) ->
        candidates = [Process.whereis(UpcallTest.SoakServer) | workers()]
        pid = Enum.random(candidates)

        if pid do
          Process.exit(pid, :kill)
          :counters.add(kills, 1, 1)
        end

        kill(kills)
    end
  end

  defp workers, do: Upcall.Pool.info(UpcallTest.SoakPool).workers

  # What is resident, in KB.
  defp memory do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)
    UpcallTest.Memory.resident_kilobytes()
  end

  defp now, do: System.monotonic_time(:millisecond)
end
