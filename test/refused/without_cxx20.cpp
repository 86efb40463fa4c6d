// says: Upcall is C..20: compile with -std=c..20
// with: -std=c++17
#include <upcall.hpp>

int f(int x) { return x; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
