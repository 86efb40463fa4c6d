// Native calls that are lazy enumerables: generators, and fibers that yield values.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>

#include "counted.hpp"

namespace {

using number_function = upcall::async_function<std::int64_t(std::int64_t)>;

std::atomic<std::int64_t> computed{0};
std::int64_t take_computed() { return computed.exchange(0); }
UPCALL_NIF(take_computed);

std::int64_t compute(std::int64_t value) {
  ++computed;
  return value;
}

// ---- the same enumerables by both bodies ----

upcall::generator<std::int64_t> count(std::int64_t from) {
  const counted object;
  for (std::int64_t i = from;; ++i) co_yield compute(i);
}
void count_on_fiber(std::int64_t from) {
  const counted object;
  for (std::int64_t i = from;; ++i) upcall::yield_value(compute(i));
}
UPCALL_NIF_AS("coroutine_count", &count);
UPCALL_NIF_AS("fiber_count", &count_on_fiber, upcall::yields<std::int64_t>);

upcall::generator<std::int64_t> range(std::int64_t first, std::int64_t last) {
  const counted object;
  for (std::int64_t i = first; i <= last; ++i) co_yield compute(i);
}
void range_on_fiber(std::int64_t first, std::int64_t last) {
  const counted object;
  for (std::int64_t i = first; i <= last; ++i) upcall::yield_value(compute(i));
}
UPCALL_NIF_AS("coroutine_range", &range);
UPCALL_NIF_AS("fiber_range", &range_on_fiber, upcall::yields<std::int64_t>);

UPCALL_NIF_AS("coroutine_one_by_one", &range, upcall::chunk_size{1});
UPCALL_NIF_AS("fiber_one_by_one", &range_on_fiber, upcall::yields<std::int64_t>,
              upcall::chunk_size{1});
UPCALL_NIF_AS("coroutine_dirty", &range, upcall::dirty_io);
UPCALL_NIF_AS("fiber_dirty", &range_on_fiber, upcall::yields<std::int64_t>, upcall::dirty_cpu);

/// Yields what functions of Elixir's return.
upcall::generator<std::int64_t> map(std::int64_t size, number_function f) {
  const counted object;
  for (std::int64_t i = 0; i < size; ++i) co_yield co_await f(i);
}
void map_on_fiber(std::int64_t size, upcall::function<std::int64_t(std::int64_t)> f) {
  const counted object;
  for (std::int64_t i = 0; i < size; ++i) upcall::yield_value(f(i));
}
UPCALL_NIF_AS("coroutine_map", &map);
UPCALL_NIF_AS("fiber_map", &map_on_fiber, upcall::yields<std::int64_t>);

upcall::generator<std::int64_t> fail_after(std::int64_t size, std::string text) {
  const counted object;
  for (std::int64_t i = 0; i < size; ++i) co_yield i;
  throw std::invalid_argument(text);
}
void fail_after_on_fiber(std::int64_t size, std::string text) {
  const counted object;
  for (std::int64_t i = 0; i < size; ++i) upcall::yield_value(i);
  throw std::invalid_argument(text);
}
UPCALL_NIF_AS("coroutine_fail_after", &fail_after);
UPCALL_NIF_AS("fiber_fail_after", &fail_after_on_fiber, upcall::yields<std::int64_t>);

/// Passes an enumerable on.
upcall::generator<std::string> copy(upcall::sequence<std::string> source) {
  const counted object;
  while (auto each = co_await source.next()) co_yield *std::move(each);
}
void copy_on_fiber(upcall::sequence<std::string> source) {
  const counted object;
  for (std::string& each : source) upcall::yield_value(std::move(each));
}
UPCALL_NIF_AS("coroutine_copy", &copy);
UPCALL_NIF_AS("fiber_copy", &copy_on_fiber, upcall::yields<std::string>);

/// Computes for a millisecond for each value.
void compute_long() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < end) continue;
}
upcall::generator<std::int64_t> slow(std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) {
    compute_long();
    co_yield compute(i);
  }
}
void slow_on_fiber(std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) {
    compute_long();
    upcall::yield_value(compute(i));
  }
}
UPCALL_NIF_AS("coroutine_slow", &slow);
UPCALL_NIF_AS("fiber_slow", &slow_on_fiber, upcall::yields<std::int64_t>);

// ---- through C ----

/// Stands for a C library that calls back until that says no.
extern "C" int for_each_number(int count, int (*callback)(void*, int), void* data) {
  for (int i = 0; i < count; ++i) {
    if (const int status = callback(data, i)) return status;
  }
  return 0;
}

std::atomic<std::int64_t> statuses_of_c{0};
void yield_through_c(std::int64_t count) {
  const counted object;
  upcall::c_callback<int(upcall::user_data, int)> each(7, [](int i) {
    upcall::yield_value(std::int64_t{i});
    return 0;
  });
  upcall::through_c([&] {
    statuses_of_c += for_each_number(static_cast<int>(count), each.function(), each.data());
  });
}
UPCALL_NIF(yield_through_c, upcall::yields<std::int64_t>);

std::int64_t take_statuses_of_c() { return statuses_of_c.exchange(0); }
UPCALL_NIF(take_statuses_of_c);

// ---- values that Elixir can't have ----

struct picky {
  std::int64_t value;
};

}  // namespace

template <>
struct upcall::codec<picky> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const picky& each) {
    if (each.value == 30) throw std::invalid_argument("30 is none");
    return upcall::encode(env, each.value);
  }
};

namespace {

upcall::generator<picky> picky_range(std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) co_yield picky{i};
}
void picky_range_on_fiber(std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) upcall::yield_value(picky{i});
}
UPCALL_NIF_AS("coroutine_picky", &picky_range);
UPCALL_NIF_AS("fiber_picky", &picky_range_on_fiber, upcall::yields<picky>);

// ---- what goes wrong at the end ----

/// Handles what a function has failed with, the death of the caller included, by another error.
void wrap_failures(std::int64_t size, upcall::function<void()> f) {
  const counted object;
  for (std::int64_t i = 0; i < size; ++i) upcall::yield_value(std::to_string(i));
  try {
    f();
  } catch (...) {
    throw std::runtime_error("wrapped");
  }
}
UPCALL_NIF(wrap_failures, upcall::yields<std::string>);

/// A callback of C that fails where nobody asks for it.
void fail_in_c(std::int64_t size) {
  upcall::c_callback<int(upcall::user_data, int)> fails(
      0, [](int) -> int { throw std::runtime_error("in C"); });
  for (std::int64_t i = 0; i < size; ++i) upcall::yield_value(i);
  for_each_number(1, fails.function(), fails.data());
}
UPCALL_NIF(fail_in_c, upcall::yields<std::int64_t>);

class yields_late {
 public:
  yields_late() noexcept = default;
  yields_late(yields_late&& other) noexcept : m_lives(std::exchange(other.m_lives, false)) {}
  yields_late(const yields_late&) = delete;
  yields_late& operator=(const yields_late&) = delete;
  yields_late& operator=(yields_late&&) = delete;
  ~yields_late() {
    if (!m_lives) return;
    try {
      upcall::yield_value(std::int64_t{-1});
    } catch (const upcall::error&) {
      ++computed;
    } catch (...) {  // nobody enumerates
    }
  }

 private:
  bool m_lives = true;
};

}  // namespace

template <>
struct upcall::codec<yields_late> {
  static yields_late decode(ErlNifEnv*, ERL_NIF_TERM) { return {}; }
};

namespace {

/// Its argument yields when it is destroyed, after the last chunk was made.
void argument_yields(const yields_late&, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) upcall::yield_value(i);
}
UPCALL_NIF(argument_yields, upcall::yields<std::int64_t>);

upcall::generator<std::int64_t> moved_from() {
  static auto left = range(1, 2);
  auto taken = std::move(left);
  return std::move(left);  // NOLINT(bugprone-use-after-move): that is what is tested
}
UPCALL_NIF(moved_from);

// ---- an object that is held while others enumerate ----

using shared = upcall::resource<upcall::exclusive<std::int64_t>>;
shared make_shared() { return shared::make(0); }
UPCALL_NIF(make_shared);

upcall::generator<std::int64_t> count_locked(shared object) {
  const counted here;
  const auto access = co_await object->async_lock();
  for (;;) co_yield ++*access;
}
void count_locked_on_fiber(shared object) {
  const counted here;
  const auto access = object->lock();
  for (;;) upcall::yield_value(++*access);
}
UPCALL_NIF_AS("coroutine_count_locked", &count_locked, upcall::chunk_size{1});
UPCALL_NIF_AS("fiber_count_locked", &count_locked_on_fiber, upcall::yields<std::int64_t>,
              upcall::chunk_size{1});

std::int64_t with_lock(shared object, upcall::function<void()> f) {
  const auto access = object->lock();
  f();
  return *access;
}
UPCALL_NIF(with_lock);

// ---- a member function, and misuse ----

class countdown {
 public:
  explicit countdown(std::int64_t from) noexcept : m_from(from) {}
  upcall::generator<std::int64_t> values() const {
    for (std::int64_t i = m_from; i > 0; --i) co_yield i;
  }

 private:
  counted m_counted;
  std::int64_t m_from;
};
upcall::resource<countdown> make_countdown(std::int64_t from) {
  return upcall::make_resource<countdown>(from);
}
UPCALL_NIF(make_countdown);
UPCALL_NIF_AS("countdown_values", &countdown::values);

void yield_without_yields() { upcall::yield_value(std::int64_t{1}); }
UPCALL_NIF(yield_without_yields);

void yield_another_type() { upcall::yield_value(1.5); }
UPCALL_NIF(yield_another_type, upcall::yields<std::int64_t>);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Generator");
