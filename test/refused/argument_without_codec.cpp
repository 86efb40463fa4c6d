// says: this type has no upcall::codec
#include <functional>
#include <string_view>
#include <upcall.hpp>

struct unknown {};
int f(unknown) { return 1; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
