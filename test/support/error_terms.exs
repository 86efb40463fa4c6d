# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.ErrorTerms do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("error_terms_nif", @body)

  defnif objects()
  defnif call(f)
  defnif drop(f)
  defnif look(f)
  defnif borrow(f)
  defnif outcome(f)
  defnif call_between(f, between, times)
  defnif look_later(f, between)
  defnif borrow_later(f, between)
  defnif drop_many(f, between, times)
  defnif look_on_thread(f)
  defnif look_on_thread_later(f, between)
  defnif leave(f, between, is_between)
  defnif raise_left()
  defnif look_at_left()
  defnif banner(f)
  defnif native_banner()
  defnif nest(f, outer, outermost)
  defnif nest_own(outer)
  defnif nest_translated(f)

  if @body == :fiber do
    defnif pinned_call(f)
    defnif pinned_look(f)
    defnif pinned_call_between(f, between, times)
    defnif pinned_drop_many(f, between, times)
    defnif pinned_banner(f)
    defnif pinned_nest(f, outer)
    defnif pinned_call_beside(f, beside)
    defnif pinned_leave(f, between, is_between)
    defnif executor_call(f, where)
    defnif executor_look(f, where)
    defnif executor_cast(f, where)
  end
end
