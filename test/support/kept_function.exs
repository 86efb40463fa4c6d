# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.KeptFunction do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("kept_function_nif", @body)

  defnif keep_and_call(f, rounds)
  defnif serve(make, rounds, most)
  defnif serve_others(make, rounds, most)
  defnif call_all(functions, rounds)
  defnif shares_copy(f)
  defnif shares_copy_of(f)
  defnif with_kept(f)

  # A pinned body is no coroutine.
  if @body == :fiber do
    defnif pinned_keep_and_call(f, rounds)
    defnif pinned_serve(make, rounds, most)
    defnif pinned_serve_others(make, rounds, most)
    defnif pinned_call_all(functions, rounds)
    defnif pinned_shares_copy(f)
    defnif pinned_shares_copy_of(f)
    defnif pinned_copies_of_threads(f, threads)
  end
end
