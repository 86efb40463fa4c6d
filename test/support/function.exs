# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.Function do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("function_nif", @body)

  @spec apply_one((integer -> integer), integer) :: integer
  defnif apply_one(f, x)
  defnif apply_none(f)
  @spec apply_two(f :: (integer, integer -> integer)) :: integer
  defnif apply_two(f)
  defnif apply_four(f)
  defnif call_for_effect(f)
  defnif alternate(f, g, times)
  defnif term_result(f)
  defnif each_of(functions, x)
  defnif in_map(functions, name)
  defnif curried(add)
  defnif pass_on(outer, inner)
  defnif give_back(f)
  defnif upcase(text)
  defnif unknown_mfa()
  defnif try_it(f)
  defnif reason_of(f)
  defnif accumulator()
  defnif add!(accumulator, value)
  defnif add_text(accumulator, text)
  defnif total?(accumulator)
  defnif misalignment(object)
  defnif aligned_object()
  defnif atom_of_function()
  defnif keep(f)
  defnif call_kept(kept, times)
  defnif let_escape(f)
  defnif call_escaped()
  defnif keep_escaped()
  defnif call_on_other_thread(f)
  defnif call_moved_from(f)

  # C++ that knows nothing of coroutines, and C, can't await.
  if @body == :fiber do
    defnif trapezoid(f, a, b)
    defnif sort_in_c(values, compare)
    defnif sort_unguarded(values, compare)
  end
end
