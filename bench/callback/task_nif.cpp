#include <cstdint>
#include <upcall/coroutines.hpp>

using int64_function = upcall::async_function<std::int64_t(std::int64_t)>;

// The loop of Bench.Callback, in a C++20 coroutine.
static upcall::task<std::int64_t> many(int64_function f, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + co_await f(i & 1023)) % 1009;
  co_return sum;
}

static upcall::task<std::int64_t> once(int64_function f, std::int64_t x) {
  co_return co_await f(x);
}

static upcall::task<std::int64_t> none(int64_function, std::int64_t x) { co_return (x * x); }

UPCALL_NIF(many);
UPCALL_NIF(once);
UPCALL_NIF(none);
UPCALL_INIT("Elixir.Bench.Callback.Task.Native");
