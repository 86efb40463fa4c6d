# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.FrameAbandoned do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("frame_abandoned_nif", @body)

  defnif objects()
  defnif seen_abandoned()
  defnif hold(f, depth)
  defnif handles_errors(f)
  defnif reads_owned(f, list)
  defnif goes_on_for_a_while(f)
  defnif never_gives_up(f)
  defnif yields_for_ever()
  defnif calls_in_noexcept(f, after_upcall)
  defnif throws_in_noexcept(text)
  defnif destructor_throws(f)

  # A destructor can't await.
  if @body == :fiber do
    defnif destructor_calls(f)
    defnif throwing_destructor_calls(f)
    defnif careful_destructor_calls(f)
    defnif calls_after_result(f, text)
    defnif open_gate(opened)
  end
end

defmodule UpcallTest.FrameKill do
  # What a child VM does as well.

  @doc """
  Spawns processes that make the call, and returns their pids when the function of each waits at `at`.
  """
  def suspend(count, at \\ 1, call) do
    test = self()

    f = fn
      ^at ->
        send(test, {:suspended, self()})
        receive(do: ({:value, value} -> value))

      other ->
        other
    end

    pids = for _ <- 1..count, do: spawn(fn -> call.(f) end)
    for pid <- pids, do: receive(do: ({:suspended, ^pid} -> :ok))
    pids
  end

  def kill(pids) do
    references = for pid <- pids, do: Process.monitor(pid)
    for pid <- pids, do: Process.exit(pid, :kill)
    for ref <- references, do: receive(do: ({:DOWN, ^ref, :process, _, :killed} -> :ok))
    :ok
  end
end
