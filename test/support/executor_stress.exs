# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.ExecutorStress do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("executor_stress_nif")

  def crowd(_executor, _fun, _threads, _calls, _longest_timeout),
    do: :erlang.nif_error(:not_loaded)

  defnif cast_crowd(f, executor, threads, casts, told)
end
