// says: has no encode for an argument of this function
#include <functional>
#include <string_view>
#include <upcall.hpp>

struct unknown {};
int f(upcall::function<int(unknown)> g) { return g({}); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
