// says: take an upcall::function or a std::function
#include <upcall.hpp>

int f(int (*g)(int)) { return g(1); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
