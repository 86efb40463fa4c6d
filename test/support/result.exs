# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.Result do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("result_nif", @body)

  defnif divide(dividend, divisor)
  defnif check(holds)
  defnif tried(f)
  defnif tried_untyped(f)
  defnif divide_all(divisors)
  defnif not_a_number()

  if @body == :fiber do
    defnif pinned_divide(dividend, divisor)
    defnif pinned_tried(f)
    defnif on_executor(f, executor)
  end
end
