#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <upcall.hpp>
#include <vector>

// Sorts the same `count` numbers every time and gives the number of comparisons, by which a
// comparator that answered one of them otherwise is found out.
template <class Less>
static std::int64_t count_comparisons(std::size_t count, const Less& less) {
  std::vector<std::int64_t> numbers(count);
  std::mt19937 random;
  std::generate(numbers.begin(), numbers.end(),
                [&] { return static_cast<std::int64_t>(random()); });

  std::int64_t comparisons = 0;
  std::stable_sort(numbers.begin(), numbers.end(), [&](std::int64_t a, std::int64_t b) {
    ++comparisons;
    return less(a, b);
  });
  if (!std::is_sorted(numbers.begin(), numbers.end())) {
    throw std::logic_error("the numbers are not sorted");
  }
  return comparisons;
}

static std::int64_t sort(const upcall::function<bool(std::int64_t, std::int64_t)>& less,
                         std::size_t count) {
  return count_comparisons(count, less);
}

static std::int64_t comparisons(std::size_t count) {
  return count_comparisons(count, std::less<>{});
}

UPCALL_NIF(sort);
UPCALL_NIF(comparisons);
UPCALL_INIT("Elixir.Bench.Callback.Sort.Native");
