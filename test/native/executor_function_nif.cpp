// Functions that are bound to an executor.

#include <chrono>
#include <cstdint>
#include <string>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;

using int_function = upcall::function<std::int64_t(std::int64_t)>;

std::int64_t call_on(int_function f, upcall::executor where, std::int64_t x) {
  return f.on(where, {.timeout = 200ms})(x);
}
UPCALL_NIF(call_on);

std::int64_t await_on(int_function f, upcall::executor where, std::int64_t x) {
  return f.on(where, {.timeout = upcall::infinity})(x);
}
UPCALL_NIF(await_on);

std::int64_t async_on(int_function f, upcall::executor where, std::int64_t x) {
  auto bound = f.on(where);
  auto one = bound.async(x);
  auto two = bound.async(x + 1);
  return two.get() * 1000 + one.get();
}
UPCALL_NIF(async_on);

bool cast_on(int_function f, upcall::executor where, std::int64_t x) { return f.on(where).cast(x); }
UPCALL_NIF(cast_on);

std::vector<std::int64_t> map_on(int_function f, upcall::executor where,
                                 std::vector<std::int64_t> values) {
  return upcall::map(f.on(where), values);
}
UPCALL_NIF(map_on);

std::vector<std::int64_t> map_here(int_function f, std::vector<std::int64_t> values) {
  return upcall::map(f, values);
}
UPCALL_NIF(map_here);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.ExecutorFunction");
