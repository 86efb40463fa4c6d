# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.Error do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("error_nif", @body)

  defnif call(f)
  defnif unwind(f)
  defnif describe(f)
  defnif stack_trace(f)
  defnif handle(f, handler)
  defnif fail(how, text)
  defnif be_curious(f)

  # A destructor can't await.
  if @body == :fiber do
    defnif fail_chattily(f)
  end
end
