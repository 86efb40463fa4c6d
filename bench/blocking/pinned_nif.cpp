#include <cstdint>
#include <upcall.hpp>

// The loop of Bench.Callback, on a thread of its own.
static std::int64_t many(const upcall::function<std::int64_t(std::int64_t)>& f,
                         std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + f(i & 1023)) % 1009;
  return sum;
}

UPCALL_NIF(many, upcall::pinned);
UPCALL_INIT("Elixir.Bench.Blocking.Pinned.Native");
