// Bursts of calls of an executor: how many are accepted, and what comes of those.

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

using cast_function = upcall::function<void(std::int64_t)>;
using int_function = upcall::function<std::int64_t(std::int64_t)>;

// Casts 1 … count. Gives how many were accepted.
std::int64_t cast_all(const upcall::executor_function<void(std::int64_t)>& bound,
                      std::int64_t count) {
  std::int64_t accepted = 0;
  for (std::int64_t x = 1; x <= count; ++x) accepted += bound.cast(x) ? 1 : 0;
  return accepted;
}
std::int64_t cast_in_frame(cast_function f, upcall::executor where, std::int64_t count) {
  return cast_all(f.on(where), count);
}
UPCALL_NIF(cast_in_frame);
UPCALL_NIF_AS("cast_in_pinned", &cast_in_frame, upcall::pinned);
UPCALL_NIF_AS("cast_in_dirty_io", &cast_in_frame, upcall::dirty_io);

// The same on `threads` threads at once.
std::int64_t cast_on_threads(cast_function f, upcall::executor where, std::int64_t count,
                             std::int64_t threads) {
  std::atomic<std::int64_t> accepted{0};
  std::vector<std::thread> all;
  for (std::int64_t i = 0; i < threads; ++i) {
    all.emplace_back(
        [&accepted, bound = f.on(where), count] { accepted += cast_all(bound, count); });
  }
  for (std::thread& each : all) each.join();
  return accepted;
}
UPCALL_NIF(cast_on_threads, upcall::pinned);

// Casts 1 … count, but never more than `most` above what `ran()` says. Gives how many were
// accepted.
std::int64_t cast_paced(cast_function f, upcall::function<std::int64_t()> ran,
                        upcall::executor where, std::int64_t count, std::int64_t most) {
  const auto bound = f.on(where);
  std::int64_t accepted = 0;
  std::int64_t seen = 0;
  for (std::int64_t x = 1; x <= count; ++x) {
    while (x - seen > most) seen = ran();
    accepted += bound.cast(x) ? 1 : 0;
  }
  return accepted;
}
UPCALL_NIF(cast_paced);

std::atomic<std::int64_t> accepted_before_death{0};

// Casts until its process is killed, on a dirty scheduler, from which a dead process can't send.
void cast_until_killed(cast_function f, upcall::executor where) {
  const auto bound = f.on(where);
  for (;;) {
    for (int i = 0; i < 20; ++i) accepted_before_death += bound.cast(i) ? 1 : 0;
    upcall::give_time();
  }
}
UPCALL_NIF(cast_until_killed, upcall::dirty_io);

std::int64_t take_accepted() { return accepted_before_death.exchange(0); }
UPCALL_NIF(take_accepted);

const char* name_of(const upcall::error& failure) {
  switch (failure.kind()) {
    case upcall::error_kind::overloaded:
      return "overloaded";
    case upcall::error_kind::executor_down:
      return "down";
    case upcall::error_kind::timed_out:
      return "timed_out";
    default:
      return "other";
  }
}

// Calls with 1 … count, all of them under way before the first is waited for. Gives how often what
// came of one.
std::map<std::string, std::int64_t> async_all(int_function f, upcall::executor where,
                                              std::int64_t count) {
  const auto bound = f.on(where, {.timeout = upcall::infinity});
  std::vector<upcall::future<std::int64_t>> all;
  for (std::int64_t x = 1; x <= count; ++x) all.push_back(bound.submit(x));
  std::map<std::string, std::int64_t> counts;
  for (auto& each : all) {
    const auto outcome = each.try_get();
    ++counts[outcome ? "value" : name_of(outcome.error())];
  }
  return counts;
}
UPCALL_NIF(async_all);

// Calls on `threads` threads at once, by `map` or one by one.
std::map<std::string, std::int64_t> wait_on_threads(int_function f, upcall::executor where,
                                                    std::int64_t threads, bool mapped) {
  std::atomic<std::int64_t> values{0};
  std::atomic<std::int64_t> failures{0};
  std::vector<std::thread> all;
  for (std::int64_t i = 0; i < threads; ++i) {
    all.emplace_back([&, bound = f.on(where, {.timeout = upcall::infinity}), i] {
      try {
        if (mapped) {
          upcall::map(bound, std::vector<std::int64_t>{i, i});
        } else {
          bound(i);
        }
        ++values;
      } catch (const upcall::error&) {
        ++failures;
      }
    });
  }
  for (std::thread& each : all) each.join();
  return {{"value", values}, {"failure", failures}};
}
UPCALL_NIF(wait_on_threads, upcall::pinned);

// Calls and waits, as long as it takes.
std::int64_t call_in_frame(int_function f, upcall::executor where, std::int64_t x) {
  return f.on(where, {.timeout = upcall::infinity})(x);
}
UPCALL_NIF(call_in_frame);
UPCALL_NIF_AS("call_in_pinned", &call_in_frame, upcall::pinned);

std::string text_of_timeout(int_function f, upcall::executor where) {
  return f.on(where, {.timeout = 50ms}).try_call(1).error().what();
}
UPCALL_NIF(text_of_timeout);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.ExecutorQueue");
