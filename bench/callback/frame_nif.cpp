#include <cstdint>
#include <upcall.hpp>

using int64_function = upcall::function<std::int64_t(std::int64_t)>;

// The loop of Bench.Callback, in C++.
static std::int64_t many(const int64_function& f, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + f(i & 1023)) % 1009;
  return sum;
}

static std::int64_t once(const int64_function& f, std::int64_t x) { return f(x); }

static std::int64_t none(const int64_function&, std::int64_t x) { return x * x; }

UPCALL_NIF(many);
UPCALL_NIF(once);
UPCALL_NIF(none);
UPCALL_INIT("Elixir.Bench.Callback.Frame.Native");
