// says: one that takes `...`.* is none
#include <upcall.hpp>

int f(int x, ...) { return x; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
