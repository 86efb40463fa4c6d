// says: only a coroutine can await an upcall::async_function: take an upcall::function
#include <cstdint>
#include <upcall.hpp>

std::int64_t f(upcall::async_function<std::int64_t()>) { return 1; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
