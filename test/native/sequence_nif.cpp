// Elixir's enumerables as C++ ranges.

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <stdexcept>
#include <string>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "counted.hpp"

namespace {

using numbers = upcall::sequence<std::int64_t>;
using fiber_function = upcall::function<std::int64_t(std::int64_t)>;
using coroutine_function = upcall::async_function<std::int64_t(std::int64_t)>;

static_assert(std::ranges::input_range<numbers>);

// ---- all of it ----

upcall::task<std::vector<std::int64_t>> to_list(numbers source) {
  std::vector<std::int64_t> all;
  while (const auto each = co_await source.next()) all.push_back(*each);
  // The end stays the end.
  if (co_await source.next()) all.push_back(-1);
  co_return all;
}
std::vector<std::int64_t> to_list_on_fiber(numbers source) {
  std::vector<std::int64_t> all;
  for (const std::int64_t each : source) all.push_back(each);
  for (const std::int64_t each : source) all.push_back(-each);
  return all;
}
UPCALL_NIF_AS("coroutine_to_list", &to_list);
UPCALL_NIF_AS("fiber_to_list", &to_list_on_fiber);

upcall::task<std::string> join(upcall::sequence<std::string> source) {
  std::string all;
  while (const auto each = co_await source.next()) all += *each + ".";
  co_return all;
}
std::string join_on_fiber(upcall::sequence<std::string> source) {
  std::string all;
  for (const std::string& each : source) all += each + ".";
  return all;
}
UPCALL_NIF_AS("coroutine_join", &join);
UPCALL_NIF_AS("fiber_join", &join_on_fiber);

// ---- a part of it ----

upcall::task<std::int64_t> sum_of(numbers source, std::int64_t count) {
  const counted object;
  std::int64_t sum = 0;
  for (; count > 0; --count) sum += (co_await source.next()).value_or(0);
  co_return sum;
}
std::int64_t sum_of_on_fiber(numbers source, std::int64_t count) {
  const counted object;
  std::int64_t sum = 0;
  if (count == 0) return sum;
  for (const std::int64_t each : source) {
    sum += each;
    if (--count == 0) break;
  }
  return sum;
}
UPCALL_NIF_AS("coroutine_sum_of", &sum_of);
UPCALL_NIF_AS("fiber_sum_of", &sum_of_on_fiber);

/// Reads some of it, lets it go, and calls the function.
upcall::task<std::int64_t> drop_then_call(numbers source, coroutine_function f) {
  std::int64_t first = 0;
  {
    const numbers dropped = std::move(source);
    first = (co_await dropped.next()).value_or(0);
  }
  co_return co_await f(first);
}
std::int64_t drop_then_call_on_fiber(numbers source, fiber_function f) {
  std::int64_t first = 0;
  {
    const numbers dropped = std::move(source);
    first = *dropped.begin();
  }
  return f(first);
}
UPCALL_NIF_AS("coroutine_drop_then_call", &drop_then_call);
UPCALL_NIF_AS("fiber_drop_then_call", &drop_then_call_on_fiber);

// ---- with calls in between ----

upcall::task<std::int64_t> call_for_each(numbers source, coroutine_function f) {
  const counted object;
  std::int64_t sum = 0;
  while (const auto each = co_await source.next()) sum += co_await f(*each);
  co_return sum;
}
std::int64_t call_for_each_on_fiber(numbers source, fiber_function f) {
  const counted object;
  std::int64_t sum = 0;
  for (const std::int64_t each : source) sum += f(each);
  return sum;
}
UPCALL_NIF_AS("coroutine_call_for_each", &call_for_each);
UPCALL_NIF_AS("fiber_call_for_each", &call_for_each_on_fiber);

/// Takes turns with two of them.
upcall::task<std::vector<std::int64_t>> interleave(numbers one, numbers other) {
  std::vector<std::int64_t> all;
  for (;;) {
    const auto left = co_await one.next();
    const auto right = co_await other.next();
    if (!left || !right) co_return all;
    all.push_back(*left);
    all.push_back(*right);
  }
}
std::vector<std::int64_t> interleave_on_fiber(numbers one, numbers other) {
  std::vector<std::int64_t> all;
  auto left = one.begin();
  auto right = other.begin();
  for (; left != one.end() && right != other.end(); ++left, ++right) {
    all.push_back(*left);
    all.push_back(*right);
  }
  return all;
}
UPCALL_NIF_AS("coroutine_interleave", &interleave);
UPCALL_NIF_AS("fiber_interleave", &interleave_on_fiber);

/// Reads one element of each, and leaves both.
upcall::task<std::int64_t> first_of_both(numbers one, numbers other) {
  co_return (co_await one.next()).value_or(0) + (co_await other.next()).value_or(0);
}
std::int64_t first_of_both_on_fiber(numbers one, numbers other) {
  return *one.begin() + *other.begin();
}
UPCALL_NIF_AS("coroutine_first_of_both", &first_of_both);
UPCALL_NIF_AS("fiber_first_of_both", &first_of_both_on_fiber);

/// Goes on after what an element, or the whole, has failed with: there is no more.
upcall::task<std::int64_t> sum_after_failure(numbers source) {
  std::int64_t sum = 0;
  bool failed = false;
  try {
    while (const auto each = co_await source.next()) sum += *each;
  } catch (const upcall::error&) {
    failed = true;
  }
  if (!failed || co_await source.next()) sum = -1;
  co_return sum;
}
std::int64_t sum_after_failure_on_fiber(numbers source) {
  std::int64_t sum = 0;
  try {
    for (const std::int64_t each : source) sum += each;
  } catch (const upcall::error&) {
    return source.begin() == source.end() ? sum : -1;
  }
  return -1;
}
UPCALL_NIF_AS("coroutine_sum_after_failure", &sum_after_failure);
UPCALL_NIF_AS("fiber_sum_after_failure", &sum_after_failure_on_fiber);

/// Leaves a sequence early, and fails.
upcall::task<> leave_and_throw(numbers source) {
  co_await source.next();
  throw std::runtime_error("the body");
}
void leave_and_throw_on_fiber(numbers source) {
  static_cast<void>(source.begin());
  throw std::runtime_error("the body");
}
UPCALL_NIF_AS("coroutine_leave_and_throw", &leave_and_throw);
UPCALL_NIF_AS("fiber_leave_and_throw", &leave_and_throw_on_fiber);

upcall::task<> use_moved_from(numbers source) {
  const numbers taken = std::move(source);
  co_await source.next();  // NOLINT(bugprone-use-after-move): that is what is tested
}
void use_moved_from_on_fiber(numbers source) {
  const numbers taken = std::move(source);
  static_cast<void>(source.begin());  // NOLINT(bugprone-use-after-move): that is what is tested
}
UPCALL_NIF_AS("coroutine_use_moved_from", &use_moved_from);
UPCALL_NIF_AS("fiber_use_moved_from", &use_moved_from_on_fiber);

struct odd {
  std::int64_t value;
};

}  // namespace

template <>
struct upcall::codec<odd> {
  static odd decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const auto value = upcall::decode<std::int64_t>(env, raw);
    if (value % 2 == 0) throw std::domain_error("an even number");
    return {value};
  }
};

namespace {

upcall::task<std::int64_t> sum_odd(upcall::sequence<odd> source, coroutine_function f) {
  std::int64_t sum = 0;
  while (const auto each = co_await source.next()) sum += co_await f(each->value);
  co_return sum;
}
std::int64_t sum_odd_on_fiber(upcall::sequence<odd> source, fiber_function f) {
  std::int64_t sum = 0;
  for (const odd& each : source) sum += f(each.value);
  return sum;
}
UPCALL_NIF_AS("coroutine_sum_odd", &sum_odd);
UPCALL_NIF_AS("fiber_sum_odd", &sum_odd_on_fiber);

upcall::generator<std::int64_t> numbers_to(std::int64_t size) {
  for (std::int64_t i = 1; i <= size; ++i) co_yield i;
}
UPCALL_NIF_AS("numbers", &numbers_to);

// ---- what it is good for, and misuse ----

std::int64_t count_if_odd(numbers source) {
  return std::ranges::count_if(source, [](std::int64_t each) { return each % 2 != 0; });
}
UPCALL_NIF(count_if_odd);

upcall::task<std::int64_t> loop_in_task(numbers source) {
  std::int64_t sum = 0;
  for (const std::int64_t each : source) sum += each;
  co_return sum;
}
UPCALL_NIF(loop_in_task);

using functions = upcall::sequence<fiber_function>;
std::int64_t call_all(functions source) {
  std::int64_t sum = 0;
  for (const fiber_function& each : source) sum += each(1);
  return sum;
}
UPCALL_NIF(call_all);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Sequence");
