# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.Advice do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("advice_nif")

  defnif call_on_thread(f)
  defnif call_on_thread_of_pinned(f)
  defnif store(term)
  defnif use_stored(stored)
  defnif first_of_grid(f)
  defnif first_of_grid_there(f, executor)
end
