// says: a coroutine can.t wait for an upcall::function .or a std::function.: take an
// upcall::async_function
#include <cstdint>
#include <functional>
#include <upcall.hpp>

upcall::task<std::int64_t> f(std::function<std::int64_t()> g) { co_return g(); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
