# Not compiled with the project: the paths of the libraries are those of this test run.
for {module, library} <- [
      {UpcallTest.Unflagged, "unflagged_nif"},
      {UpcallTest.UnflaggedSecond, "unflagged_second_nif"}
    ] do
  defmodule module do
    use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path(library)

    defnif same_color(value)
    defnif same_point(value)
    defnif depth(options)
    defnif mapped_in_coroutine(f, values)
    defnif generate(values)
    defnif generate_on_fiber(values)
    defnif to_list(values)
    defnif new_counter()
    defnif count(counter)
    defnif mapped(f, values)
    defnif mapped_pinned(f, values)
    defnif mapped_on(f, executor, values)
    defnif through_callback(f)
  end
end

defmodule UpcallTest.Unflagged.Point do
  defstruct x: 0.0, shade: :red
end
