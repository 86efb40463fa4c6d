// Threads that call an Elixir function through an executor, in the loop of Bench.Blocking. The NIF
// that starts one returns at once; the thread sends `{:sum, sum}` at its end.

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <utility>
#include <vector>

#include "../native_thread.hpp"

namespace {

using int64_function = upcall::function<std::int64_t(std::int64_t)>;
using bound_function = upcall::executor_function<std::int64_t(std::int64_t)>;

// One call after the other.
void many(const int64_function& f, upcall::executor where, std::int64_t count, ErlNifPid receiver) {
  start_native_thread(
      [on_executor = f.on(where), count] {
        std::int64_t sum = 0;
        for (std::int64_t i = 0; i < count; ++i) sum = (sum + on_executor(i & 1023)) % 1009;
        return sum;
      },
      receiver);
}

constexpr std::size_t in_flight = 64;

std::int64_t sum_of_async(const bound_function& f, std::int64_t count) {
  std::array<std::optional<upcall::future<std::int64_t>>, in_flight> futures;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count + std::int64_t{in_flight}; ++i) {
    auto& place = futures[static_cast<std::size_t>(i) % in_flight];
    if (place) sum = (sum + place->get()) % 1009;
    place.reset();
    if (i < count) place.emplace(f.submit(i & 1023));
  }
  return sum;
}

// `in_flight` calls at a time.
void async(const int64_function& f, upcall::executor where, std::int64_t count,
           ErlNifPid receiver) {
  start_native_thread(
      [on_executor = f.on(where), count] { return sum_of_async(on_executor, count); }, receiver);
}

// The numbers from 0 to `count` - 1 at once, `times` times.
void map(const int64_function& f, upcall::executor where, std::int64_t count, std::int64_t times,
         ErlNifPid receiver) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i & 1023);
  start_native_thread(
      [on_executor = f.on(where), numbers = std::move(numbers), times] {
        std::int64_t sum = 0;
        for (std::int64_t i = 0; i < times; ++i)
          for (const std::int64_t each : upcall::map(on_executor, numbers))
            sum = (sum + each) % 1009;
        return sum;
      },
      receiver);
}

}  // namespace

UPCALL_NIF(many);
UPCALL_NIF(async);
UPCALL_NIF(map);
UPCALL_INIT("Elixir.Bench.Blocking.Threads");
