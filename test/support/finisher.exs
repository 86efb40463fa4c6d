# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.Finisher do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("finisher_nif", @body)

  defnif objects()
  defnif open_gate(opened)
  defnif at_gate()
  defnif end_slowly(f)
  defnif end_slowly_too(f)
  defnif end_at_once(f)
  defnif redirect_stderr(path)

  if @body == :fiber do
    defnif end_slowly_pinned(f)
  end
end
