// says: a pointer to char .*: take a std::string
#include <upcall.hpp>

int f(const char*) { return 1; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
