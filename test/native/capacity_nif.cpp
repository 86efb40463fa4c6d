// Many frames at once.

#include <cstdint>
#include <upcall.hpp>

namespace {

std::int64_t hold(upcall::function<std::int64_t(std::int64_t)> f) { return f(1) + 1; }
UPCALL_NIF(hold);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Capacity");
