# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.DestructorFrame do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("destructor_frame_nif")

  defnif throws(f, executor, way, before)
  defnif throws_pinned(f, executor, way, before)
  defnif holds(f, executor, way, before)
  defnif holds_in_coroutine(f, executor, way, before)
  defnif holds_object(f, executor, way, object, before)
  defnif make_object()
  defnif use_object(object)
  defnif yields(f, executor, way)
  defnif yields_in_coroutine(f, executor, way)
  defnif decodes(argument)
  defnif argument(f, executor, way)
end
