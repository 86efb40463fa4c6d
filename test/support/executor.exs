# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.Executor do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("executor_nif")

  def apply_io(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def apply_cpu(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def apply_normal(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def apply_thread(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def cpu_waits(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def io_waits(_executor, _fun, _params, _timeout), do: :erlang.nif_error(:not_loaded)
  def applying, do: :erlang.nif_error(:not_loaded)
  def stack_trace(_executor, _fun), do: :erlang.nif_error(:not_loaded)
  def value(_executor, _fun), do: :erlang.nif_error(:not_loaded)

  defnif apply_frame(executor, fun, params, timeout)
  defnif apply_typed(executor, fun, x)
end
