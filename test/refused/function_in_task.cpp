// says: a coroutine can.t wait for an upcall::function .or a std::function.: take an
// upcall::async_function
#include <cstdint>
#include <optional>
#include <upcall.hpp>
#include <upcall/stl.hpp>

upcall::task<std::int64_t> f(std::optional<upcall::function<std::int64_t()>> g) {
  co_return (*g)();
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
