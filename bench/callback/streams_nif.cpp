#include <cstdint>
#include <upcall.hpp>

// 1 to `size`, computed as they are taken.
static upcall::generator<std::int64_t> numbers(std::int64_t size) {
  for (std::int64_t i = 1; i <= size; ++i) co_yield i;
}

static std::int64_t sum(upcall::sequence<std::int64_t> source) {
  std::int64_t total = 0;
  for (const std::int64_t each : source) total += each;
  return total;
}

static upcall::task<std::int64_t> sum_in_task(upcall::sequence<std::int64_t> source) {
  std::int64_t total = 0;
  while (const auto each = co_await source.next()) total += *each;
  co_return total;
}

UPCALL_NIF(numbers);
UPCALL_NIF(sum);
UPCALL_NIF(sum_in_task);
UPCALL_INIT("Elixir.Bench.Callback.Streams.Native");
