// says: this enum has no upcall::codec: include <upcall/structs.hpp>
#include <upcall.hpp>

enum class color { red };
color f() { return color::red; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
