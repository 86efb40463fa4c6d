#pragma once

#include <cstdlib>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <vector>

// A C library in between: the comparator of qsort_r is a function of Elixir's.

namespace {

using comparator = upcall::function<int(int, int)>;

/// Gives `run` what sorts the values. qsort_r takes no null, which an empty vector may have.
template <class Run>
void sort_by(const Run& run, std::vector<int>& values, const comparator& compare) {
  if (values.empty()) return;
  upcall::c_callback<int(const void*, const void*, upcall::user_data)> callback(
      0, [&](const void* a, const void* b) {
        return compare(*static_cast<const int*>(a), *static_cast<const int*>(b));
      });
  run([&] {
    qsort_r(values.data(), values.size(), sizeof(int), callback.function(), callback.data());
  });
}

std::vector<int> sort_in_c(std::vector<int> values, comparator compare) {
  sort_by([](const auto& sort) { upcall::through_c(sort); }, values, compare);
  return values;
}

/// Without through_c nothing is lost either: the error comes out where the body ends.
[[maybe_unused]] int sort_unguarded(std::vector<int> values, comparator compare) {
  sort_by([](const auto& sort) { sort(); }, values, compare);
  return 0;
}

}  // namespace
