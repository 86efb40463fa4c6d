# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.FrameFairness do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("frame_fairness_nif", @body)

  defnif finish()
  defnif make_upcalls(f)
  defnif compute_with_yields()
  defnif compute_without_yields(f)

  @period 10

  @doc """
  Makes the native call in this process, while another one wakes every 10 ms, so many times. Prints what the
  call gives, and the 99th percentile of how late the other process woke, in microseconds of the VM's
  processor time: other programs may keep the whole VM from running, which is not the call's doing.
  """
  def measure(wake_ups, native) do
    waker =
      Task.async(fn ->
        delays = for _ <- 1..wake_ups, do: late_by()
        finish()
        Enum.at(Enum.sort(delays), ceil(wake_ups * 0.99) - 1)
      end)

    result = native.()
    IO.puts("#{result} #{Task.await(waker, :infinity)}")
  end

  defp late_by do
    before = processor_time()
    receive after: (@period -> :ok)
    processor_time() - before - @period * 1_000
  end

  defp processor_time do
    {milliseconds, _since_last} = :erlang.statistics(:runtime)
    milliseconds * 1_000
  end
end
