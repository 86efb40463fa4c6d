# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.ExecutorQueue do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("executor_queue_nif")

  defnif cast_in_frame(f, executor, count)
  defnif cast_in_pinned(f, executor, count)
  defnif cast_in_dirty_io(f, executor, count)
  defnif cast_on_threads(f, executor, count, threads)
  defnif cast_paced(f, ran, executor, count, most)
  defnif cast_until_killed(f, executor)
  defnif take_accepted()
  defnif async_all(f, executor, count)
  defnif wait_on_threads(f, executor, threads, mapped)
  defnif call_in_frame(f, executor, x)
  defnif call_in_pinned(f, executor, x)
  defnif text_of_timeout(f, executor)
end
