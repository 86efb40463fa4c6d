// says: compile without -fno-exceptions
// with: -fno-exceptions
#include <upcall.hpp>

int f(int x) { return x; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
