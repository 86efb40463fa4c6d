# For a VM of its own: as many frames as there may be. UPCALL_TEST_STACKS has the load options.
defmodule UpcallTest.Capacity do
  use Upcall.Nif,
      [otp_app: :upcall, path: UpcallTest.Native.path("capacity_nif")] ++
        (System.fetch_env!("UPCALL_TEST_STACKS") |> Code.eval_string() |> elem(0))

  defnif hold(f)

  @doc """
  Suspends a call in each of `count` processes: `{processes, held, refused}`.
  """
  def hold_many(count) do
    test = self()
    processes = for _ <- 1..count, do: spawn(fn -> hold_until_told(test) end)
    outcomes = for _ <- 1..count, do: receive(do: ({:outcome, outcome} -> outcome))
    {processes, Enum.count(outcomes, &(&1 == :held)), Enum.reject(outcomes, &(&1 == :held))}
  end

  @doc """
  Ends the calls of `hold_many`, by their functions' return or by a kill, and waits until all frames have.
  """
  def release(processes, :return) do
    for process <- processes, do: send(process, :go)
    ended(processes)
  end

  def release(processes, :kill) do
    for process <- processes, do: Process.exit(process, :kill)
    ended(processes)
  end

  @doc """
  The VM's resident memory in bytes.
  """
  def resident, do: UpcallTest.Memory.resident_kilobytes() * 1024

  defp hold_until_told(test) do
    2 =
      hold(fn one ->
        send(test, {:outcome, :held})
        receive(do: (:go -> one))
      end)
  rescue
    error -> send(test, {:outcome, error})
  end

  defp ended(processes) do
    for process <- processes do
      monitor = Process.monitor(process)
      receive(do: ({:DOWN, ^monitor, _, _, _} -> :ok))
    end

    UpcallTest.Wait.until_no_frames(__MODULE__)
  end
end
