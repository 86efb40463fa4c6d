# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.OddValues do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("odd_values_nif")

  defnif make_watch(f, executor, number)
  defnif use_moved_from(f, executor)
  defnif text_of_moved_from(f)
  defnif term_moved_from()
  defnif resource_moved_from()
  defnif call_named(module, function)
  defnif call_named_pinned(module, function)
  defnif call_named_in_task(module, function)
  defnif raise_named(module)
  defnif raise_named_pinned(module)
  defnif raise_field(module, field)
  defnif raise_field_pinned(module, field)
  defnif size_of(measure)
  defnif twice(measure)
  defnif fail_with_bytes(size)
  defnif pass(f)
  defnif pass_pinned(f)
  defnif text(f)
  defnif text_pinned(f)
  defnif text_on(f, executor)
  defnif text_at_end(f, between)
  defnif fail_in_destructor(f)
  defnif decode_nothing()
  defnif call_on_thread(f, tell, executor)
end

# Elixir's syntax has ASCII alone in the names of modules; the VM takes any.
defmodule :"Elixir.UpcallTest.Größe" do
  defstruct [:größe]
  def größer_als(x), do: x + 1
end

defmodule :"Elixir.UpcallTest.ZuGroß" do
  defexception [:message, :größe]
end
