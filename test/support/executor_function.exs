# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.ExecutorFunction do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("executor_function_nif")

  defnif call_on(f, executor, x)
  defnif await_on(f, executor, x)
  defnif async_on(f, executor, x)
  defnif cast_on(f, executor, x)
  defnif map_on(f, executor, values)
  defnif map_here(f, values)
end
