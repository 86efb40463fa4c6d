// says: take a std::vector, or drop upcall::pinned
#include <cstdint>
#include <upcall.hpp>

std::int64_t f(upcall::sequence<std::int64_t>) { return 1; }
UPCALL_NIF(f, upcall::pinned);
UPCALL_INIT("Elixir.Refused");
