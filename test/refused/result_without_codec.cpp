// says: this type has no upcall::codec
#include <functional>
#include <string_view>
#include <upcall.hpp>

struct unknown {};
unknown f(int) { return {}; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
