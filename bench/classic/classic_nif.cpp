#include <erl_nif.h>

#include <cstdint>
#include <upcall.hpp>

#include "../native_thread.hpp"

using int64_function = upcall::function<std::int64_t(std::int64_t)>;
using int64_async_function = upcall::async_function<std::int64_t(std::int64_t)>;

// Calls `f` with the same parameter `count` times. Every way of calling has this loop.
template <class Function>
static std::int64_t sum_of_calls(const Function& f, std::int64_t x, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + f(x)) % 1009;
  return sum;
}

static std::int64_t once(const int64_function& f, std::int64_t x) { return f(x); }

static std::int64_t frame(const int64_function& f, std::int64_t x, std::int64_t count) {
  return sum_of_calls(f, x, count);
}

static std::int64_t pinned(const int64_function& f, std::int64_t x, std::int64_t count) {
  return sum_of_calls(f, x, count);
}

static upcall::task<std::int64_t> task(int64_async_function f, std::int64_t x, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + co_await f(x)) % 1009;
  co_return sum;
}

static void on_executor(const int64_function& f, upcall::executor where, std::int64_t x,
                        std::int64_t count, ErlNifPid receiver) {
  start_native_thread([bound = f.on(where), x, count] { return sum_of_calls(bound, x, count); },
                      receiver);
}

UPCALL_NIF(once);
UPCALL_NIF(frame);
UPCALL_NIF(pinned, upcall::pinned);
UPCALL_NIF(task);
UPCALL_NIF(on_executor);
UPCALL_INIT("Elixir.Bench.Classic.Native");
