# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.FrameLimits do
  use Upcall.Nif,
    otp_app: :upcall,
    path: UpcallTest.Native.path("frame_limits_nif", @body),
    guard_pages: String.to_atom(System.get_env("UPCALL_TEST_GUARD_PAGES", "auto"))

  defnif give_back(value)
  defnif give_back_dirty(value)
  defnif take(f)

  # A coroutine has no stack of its own.
  if @body == :fiber do
    defnif use_small_stack(bytes, f)
    defnif use_default_stack(bytes, f)
    defnif use_large_stack(bytes, f)
    defnif use_large_dirty_stack(bytes, f)
  end
end
