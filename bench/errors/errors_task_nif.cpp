#include <cstdint>
#include <upcall/coroutines.hpp>

static upcall::task<std::int64_t> through(upcall::async_function<void()> f) {
  co_await f();
  co_return 0;
}

UPCALL_NIF(through);
UPCALL_INIT("Elixir.Bench.Errors.TaskNative");
