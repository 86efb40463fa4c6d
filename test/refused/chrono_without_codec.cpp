// says: take a std::int64_t and make it std::chrono::milliseconds.n.
#include <chrono>
#include <upcall.hpp>

int f(std::chrono::milliseconds) { return 1; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
