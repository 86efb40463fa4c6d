defmodule UpcallTest.StackOverflowFunctions do
  @moduledoc false
  # What both libraries of test/native/stack_overflow_nif.cpp have.

  defmacro __using__(library) do
    quote do
      use Upcall.Nif,
        otp_app: :upcall,
        path: UpcallTest.Native.path(unquote(library)),
        guard_pages: String.to_atom(System.get_env("UPCALL_TEST_GUARD_PAGES", "auto"))

      defnif recurse(f)
      defnif recurse_64_kb(f)
      defnif recurse_64_mb(f)
      defnif recurse_dirty_cpu(f)
      defnif recurse_dirty_io(f)
      defnif recurse_at_once()
      defnif recurse_when_abandoned(f)
      defnif recurse_in_codec(f, g)
      defnif poke(address, f)
      defnif poke_on_thread(address)
      defnif with_guard(f)
      defnif signal_itself()
    end
  end
end
