// says: a C.. function that is a NIF takes and gives C.. values
#include <upcall.hpp>

int f(ErlNifEnv*, int x) { return x; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
