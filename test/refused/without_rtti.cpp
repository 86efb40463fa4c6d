// says: compile without -fno-rtti
// with: -fno-rtti
#include <upcall.hpp>

int f(int x) { return x; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
