# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.ExecutorFunction do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("executor_function_nif")

  defnif await_on(f, executor, x)
  defnif call_on(f, executor, x, timeout)
  defnif void_on(f, executor, x)
  defnif async_on(f, executor, x)
  defnif many_on(f, executor, count)
  defnif drop_on(f, executor, count)
  defnif cast_on(f, executor, x)
  defnif map_on(f, executor, values)
  defnif map_here(f, values)
  defnif future_on(f, executor, between)
  defnif late_on(f, executor)
  defnif kind_on(f, executor, timeout)
  defnif race_on(f, executor, count)

  defnif thread_call(f, executor, x, timeout, pid)
  defnif thread_many(f, executor, count, pid)
  defnif thread_map(f, executor, values, pid)
  defnif thread_cast(f, executor, x, pid)
  defnif copies_on_threads(f, executor, threads, pid)
  defnif thread_without_executor(f, pid)
end
