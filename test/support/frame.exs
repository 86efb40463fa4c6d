# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.Frame do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("frame_nif", @body)

  defnif objects()
  defnif native_heap()
  defnif call(f, x)
  defnif catch_blocks(f, name, rounds)
  defnif rethrow_after_upcall(f, text)
  defnif nest(f)
  defnif drop_functions(make, count)
  defnif keep_functions(make, count)
  defnif views_hold(text, bytes, expected, f)

  # A destructor can't await.
  if @body == :fiber do
    defnif result_then_farewell(first, second, values)
    defnif failure_then_farewell(f, text)
  end
end

defmodule UpcallTest.FrameScenario do
  # What a child VM does as well.

  @doc """
  Runs `count` processes that suspend inside catch blocks (coroutines, with what these caught), all at once,
  while they go from scheduler to scheduler, and returns how often a frame went on on another thread.
  """
  def suspend_in_catch_blocks(native, count, rounds) do
    schedulers = System.schedulers_online()

    processes =
      for number <- 1..count do
        Task.async(fn ->
          step = :counters.new(1, [])

          f = fn what ->
            :counters.add(step, 1, 1)
            at = :counters.get(step, 1)
            # All are in their first catch block before one goes on.
            if at == 1, do: meet()
            # Moves this process to that scheduler.
            :erlang.process_flag(:scheduler, rem(number + at, schedulers) + 1)
            if what == "raise", do: raise("#{number} at #{at}")
          end

          native.catch_blocks(f, "#{number}", rounds)
        end)
      end

    for %{pid: pid} <- processes, do: receive(do: ({:in_catch_block, ^pid} -> :ok))
    for %{pid: pid} <- processes, do: send(pid, :go_on)
    processes |> Task.await_many(60_000) |> Enum.sum()
  end

  defp meet do
    send(hd(Process.get(:"$callers")), {:in_catch_block, self()})
    receive(do: (:go_on -> :ok))
  end
end
