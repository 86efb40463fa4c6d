// Functions that are bound to an executor.

#include <erl_nif.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

using int_signature = std::int64_t(std::int64_t);
using int_function = upcall::function<int_signature>;
using int_executor_function = upcall::executor_function<int_signature>;

// ---- in frames ----

std::int64_t call_on(int_function f, upcall::executor where, std::int64_t x,
                     std::int64_t milliseconds) {
  return f.on(where, {.timeout = std::chrono::milliseconds(milliseconds)})(x);
}
UPCALL_NIF(call_on);

std::int64_t await_on(int_function f, upcall::executor where, std::int64_t x) {
  return f.on(where, {.timeout = upcall::infinity})(x);
}
UPCALL_NIF(await_on);

std::string void_on(upcall::function<void(std::int64_t)> f, upcall::executor where,
                    std::int64_t x) {
  const auto bound = f.on(where, {.timeout = 60s});
  bound(x);
  const auto result = bound.try_call(x);
  bound.submit(x).get();
  return result ? "done" : result.error().what();
}
UPCALL_NIF(void_on);

std::int64_t async_on(int_function f, upcall::executor where, std::int64_t x) {
  auto bound = f.on(where);
  auto one = bound.submit(x);
  auto two = bound.submit(x + 1);
  return two.get() * 1000 + one.get();
}
UPCALL_NIF(async_on);

// Sums the answers of `count` calls that are all under way before the first is waited for.
std::int64_t sum_of_many(const int_executor_function& bound, std::int64_t count) {
  std::vector<upcall::future<std::int64_t>> under_way;
  for (std::int64_t x = 1; x <= count; ++x) under_way.push_back(bound.submit(x));
  std::int64_t sum = 0;
  for (auto& each : under_way) sum += each.get();
  return sum;
}
std::int64_t many_on(int_function f, upcall::executor where, std::int64_t count) {
  return sum_of_many(f.on(where, {.timeout = 60s}), count);
}
UPCALL_NIF(many_on);

// Drops all but one of `count` calls at once.
std::int64_t drop_on(int_function f, upcall::executor where, std::int64_t count) {
  const auto bound = f.on(where, {.timeout = 60s});
  for (std::int64_t x = 1; x < count; ++x) static_cast<void>(bound.submit(x));
  auto moved_over = bound.submit(0);
  moved_over = bound.submit(count);
  return moved_over.get();
}
UPCALL_NIF(drop_on);

bool cast_on(int_function f, upcall::executor where, std::int64_t x) { return f.on(where).cast(x); }
UPCALL_NIF(cast_on);

std::vector<std::int64_t> map_on(int_function f, upcall::executor where,
                                 std::vector<std::int64_t> values) {
  return upcall::map(f.on(where, {.timeout = 60s}), values);
}
UPCALL_NIF(map_on);

std::vector<std::int64_t> map_here(int_function f, std::vector<std::int64_t> values) {
  return upcall::map(f, values);
}
UPCALL_NIF(map_here);

// What the steps of one future look like: ready, waited for 10 ms, ready; and, when `f(0)` has been
// called in the process, waited for as long as it takes, ready, its value, its error when it is
// asked again.
std::vector<std::string> future_steps(const int_executor_function& bound,
                                      const std::optional<int_function>& between) {
  std::vector<std::string> seen;
  const auto see = [&](bool value) { seen.emplace_back(value ? "yes" : "no"); };
  auto later = bound.submit(1);
  see(later.is_ready());
  see(later.wait_for(10ms));
  see(later.is_ready());
  if (between) (*between)(0);
  see(later.wait_for(60s));
  see(later.is_ready());
  seen.push_back(std::to_string(later.get()));
  try {
    later.get();
  } catch (const upcall::error& failure) {
    seen.emplace_back(failure.what());
  }
  return seen;
}
std::vector<std::string> future_on(int_function f, upcall::executor where, int_function between) {
  return future_steps(f.on(where, {.timeout = 60s}), between);
}
UPCALL_NIF(future_on);

// A future of a call that nobody answers in time. It ends at the call's own timeout, however long
// it is waited for.
std::string late_on(int_function f, upcall::executor where) {
  auto later = f.on(where, {.timeout = 30ms}).submit(1);
  if (later.wait_for(60s)) return "in time";
  const auto result = later.try_get();
  return result ? "in time" : result.error().what();
}
UPCALL_NIF(late_on);

// Which kind an error has in C++, and what it says.
std::pair<std::int64_t, std::string> kind_of(const upcall::result<std::int64_t>& result) {
  if (result) return {-1, std::to_string(result.value())};
  return {static_cast<std::int64_t>(result.error().kind()), result.error().what()};
}
std::pair<std::int64_t, std::string> kind_on(int_function f, upcall::executor where,
                                             std::int64_t milliseconds) {
  return kind_of(
      f.on(where, {.timeout = std::chrono::milliseconds(milliseconds)}).try_call(std::int64_t{1}));
}
UPCALL_NIF(kind_on);

// Calls `count` times with timeouts of 1 ms, and gives how many were answered.
std::int64_t race_on(int_function f, upcall::executor where, std::int64_t count) {
  const auto bound = f.on(where, {.timeout = 1ms});
  std::int64_t answered = 0;
  for (std::int64_t x = 0; x < count; ++x) {
    const auto result = bound.try_call(x);
    if (result && result.value() != x) upcall::raise("Elixir.RuntimeError", "another's answer");
    if (result) ++answered;
  }
  return answered;
}
UPCALL_NIF(race_on);

// ---- on threads of native code, which send `{:thread, value}` at the end ----

template <class T>
void send_value(const ErlNifPid& to, const T& value) {
  const upcall::owned_env message;
  ErlNifEnv* const env = message.get();
  enif_send(nullptr, &to, env,
            enif_make_tuple2(env, enif_make_atom(env, "thread"), upcall::encode<T>(env, value)));
}

template <class Body>
void on_thread(const ErlNifPid& to, Body body) {
  std::thread([to, body = std::move(body)] {
    try {
      send_value(to, body());
    } catch (const upcall::error& failure) {
      send_value(to, std::string(failure.what()));
    }
  }).detach();
}

void thread_call(int_function f, upcall::executor where, std::int64_t x, std::int64_t milliseconds,
                 ErlNifPid to) {
  const auto bound = f.on(where, {.timeout = std::chrono::milliseconds(milliseconds)});
  on_thread(to, [bound, x] { return bound(x); });
}
UPCALL_NIF(thread_call);

void thread_many(upcall::kept_function<int_signature> f, upcall::executor where, std::int64_t count,
                 ErlNifPid to) {
  on_thread(to,
            [bound = f.on(where, {.timeout = 60s}), count] { return sum_of_many(bound, count); });
}
UPCALL_NIF(thread_many);

void thread_map(int_function f, upcall::executor where, std::vector<std::int64_t> values,
                ErlNifPid to) {
  on_thread(to,
            [bound = f.on(where, {.timeout = 60s}), values] { return upcall::map(bound, values); });
}
UPCALL_NIF(thread_map);

void thread_cast(int_function f, upcall::executor where, std::int64_t x, ErlNifPid to) {
  on_thread(to, [bound = f.on(where), x] { return bound.cast(x); });
}
UPCALL_NIF(thread_cast);

// Copies are called on a thread each.
void copies_on_threads(int_function f, upcall::executor where, std::int64_t threads, ErlNifPid to) {
  const auto bound = f.on(where, {.timeout = 60s});
  for (std::int64_t x = 1; x <= threads; ++x) {
    on_thread(to, [copy = bound, x] { return copy(x); });
  }
}
UPCALL_NIF(copies_on_threads);

// `f` itself belongs to its frame.
void thread_without_executor(upcall::kept_function<int_signature> f, ErlNifPid to) {
  on_thread(to, [f] { return f(1); });
}
UPCALL_NIF(thread_without_executor);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.ExecutorFunction");
