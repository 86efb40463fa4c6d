# Not compiled with the project: the path of the library is that of this test run.
for {module, library} <- [
      {UpcallTest.StackDepth, "stack_depth_nif"},
      {UpcallTest.StackDepthMeasured, "stack_depth_measured_nif"}
    ] do
  defmodule module do
    use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path(library)

    defnif suspended_deeply(bytes, f)
    defnif suspended_now(bytes, f)
    defnif suspended_deeply_later(bytes, f)
    defnif suspended_on_1_mb(bytes, f)
    defnif deep_in_between(bytes, f)
    defnif deep_at_the_end(bytes, f)
    defnif shallow(f)
    defnif never_suspended(bytes)
    defnif never_called()
  end
end
