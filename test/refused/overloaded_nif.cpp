// says: cast one of several overloads to its type
#include <upcall.hpp>

int f(int x) { return x; }
int f(double) { return 0; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
