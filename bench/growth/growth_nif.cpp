#include <erl_nif.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <upcall.hpp>

#include "../native_thread.hpp"

using message_function = upcall::function<bool(std::int64_t)>;
using message_async_function = upcall::async_function<bool(std::int64_t)>;
using binary_function = upcall::function<std::string(std::string_view)>;

// Is suspended in `f`, which waits for a message, until that one is the last.
static std::int64_t serve(const message_function& f) {
  std::int64_t served = 0;
  while (f(served)) ++served;
  return served;
}

static upcall::task<std::int64_t> serve_in_task(message_async_function f) {
  std::int64_t served = 0;
  while (co_await f(served)) ++served;
  co_return served;
}

template <class Function>
static std::size_t bytes_returned(const Function& f, std::size_t size, std::int64_t count) {
  const std::string payload(size, 'x');
  std::size_t bytes = 0;
  for (std::int64_t i = 0; i < count; ++i) bytes += f(payload).size();
  return bytes;
}

static std::size_t payload(const binary_function& f, std::size_t size, std::int64_t count) {
  return bytes_returned(f, size, count);
}

static void payload_on_executor(const binary_function& f, upcall::executor where, std::size_t size,
                                std::int64_t count, ErlNifPid receiver) {
  start_native_thread(
      [bound = f.on(where), size, count] { return bytes_returned(bound, size, count); }, receiver);
}

UPCALL_NIF(serve);
UPCALL_NIF(serve_in_task);
UPCALL_NIF(payload);
UPCALL_NIF(payload_on_executor);
UPCALL_INIT("Elixir.Bench.Growth.Native");
