// says: a NIF that is no coroutine runs on a fiber: include <upcall.hpp>
#include <cstdint>
#include <upcall/coroutines.hpp>

std::int64_t f(std::int64_t x) { return x; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
