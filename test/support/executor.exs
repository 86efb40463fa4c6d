# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.Executor do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("executor_nif")

  def apply_io(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def apply_cpu(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def apply_normal(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
end
