// says: an atom's name is UTF-8
#include <upcall.hpp>
#include <upcall/structs.hpp>

struct measure {
  int size = 0;
};
template <>
struct upcall::codec<measure> : upcall::struct_codec<measure, "Elixir.Measure",
                                                     upcall::field<&measure::size,
                                                                   "gr\xF6\xDF"
                                                                   "e">> {};
int size_of(measure given) { return given.size; }
UPCALL_NIF(size_of);
UPCALL_INIT("Elixir.Refused");
