# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.Types do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("types_nif")

  defmodule Point do
    defstruct x: 0.0, y: 0.0
  end

  defmodule Line do
    defstruct [:from, :to, :label]
  end

  defmodule Folder do
    defstruct name: "", folders: []
  end

  # codec.hpp
  defnif int8(value)
  defnif int16(value)
  defnif int32(value)
  defnif int64(value)
  defnif uint8(value)
  defnif uint16(value)
  defnif uint32(value)
  defnif uint64(value)
  defnif float64(value)
  defnif float32(value)
  defnif boolean(value)
  defnif any_atom(value)
  defnif atom_and_name(value)
  defnif static_atom()
  defnif static_atom_in_utf8()
  defnif static_atom_in_latin()
  defnif string(value)
  defnif string_view(value)
  defnif bytes(value)
  defnif total_size(views)
  defnif c_string()
  defnif literal()
  defnif local_pid(value)
  defnif any_term(value)
  defnif owned(value)
  defnif sum_of_term(numbers)
  defnif sum_of_owned(numbers)
  defnif list_of_owned(list)
  defnif call_owned(functions)
  defnif not_a_number()
  defnif infinity()
  defnif ask_of_not_a_number(f)
  defnif too_small()

  # stl.hpp
  defnif integers(value)
  defnif booleans(value)
  defnif grid(value)
  defnif strings(value)
  defnif terms(value)
  defnif three(value)
  defnif one(value)
  defnif none(value)
  defnif triple(value)
  defnif empty_tuple(value)
  defnif nested_tuple(value)
  defnif range(value)
  defnif integers_by_name(value)
  defnif names_by_integer(value)
  defnif integers_by_float(value)
  defnif lists_by_name(value)
  defnif maybe(value)
  defnif maybe_range(value)
  defnif choice(value)
  defnif lists(value)
  defnif nothing(value)
  defnif text_and_bytes(value)
  defnif tree(value)
  defnif tree_on_a_large_stack(value)
  defnif call_each(functions, argument)
  defnif call_values(functions, argument)
  defnif call_both(functions, argument)
  defnif call_maybe(call)
  defnif reversed(functions)
  defnif ask(function)
  defnif pass_term(function, value)
  defnif tree_too_deep_to_encode()
  defnif equal_keys(count)
  defnif count_up(size)

  # structs.hpp
  defnif color(value)
  defnif colors(value)
  defnif unnamed_color()
  defnif point(value)
  defnif line(value)
  defnif folder(value)
  defnif ask_for_folder(function)
  defnif options(value)
  defnif step(options, from)
end
