// Pinned NIFs: bodies on threads of their own.

#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "c_sort.hpp"
#include "counted.hpp"

namespace {

using int_function = upcall::function<std::int64_t(std::int64_t)>;

std::int64_t sum(int_function f, std::int64_t count) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < count; ++i) total = (total + f(i)) % 1009;
  return total;
}
UPCALL_NIF(sum, upcall::pinned);

// ---- what a frame may not do ----

std::mutex shared_lock;

/// Holds a mutex, and compares thread-local state, across the upcall.
bool hold_across(int_function f) {
  static thread_local std::int64_t seen = 0;
  const std::lock_guard held(shared_lock);
  const std::thread::id before = std::this_thread::get_id();
  seen = 1;
  seen += f(1);
  return std::this_thread::get_id() == before && seen == 2;
}
UPCALL_NIF(hold_across, upcall::pinned);

/// Calls from `threads` threads at once, `count` times each; gives what each has summed up.
std::vector<std::int64_t> from_threads(int_function f, std::int64_t threads, std::int64_t count) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(threads), 0);
  std::vector<std::thread> workers;
  workers.reserve(sums.size());
  for (std::int64_t& each : sums) workers.emplace_back([&] { each = sum(f, count); });
  for (std::thread& each : workers) each.join();
  return sums;
}
UPCALL_NIF(from_threads, upcall::pinned);

/// A worker thread catches what the function raises, for the body to throw.
void raise_in_thread(int_function f) {
  std::exception_ptr caught;
  std::thread([&] {
    try {
      f(1);
    } catch (...) {
      caught = std::current_exception();
    }
  }).join();
  if (caught) std::rethrow_exception(caught);
}
UPCALL_NIF(raise_in_thread, upcall::pinned);

// ---- the same source as a frame ----

std::vector<std::string> echo(std::string_view text, upcall::term any, std::vector<int> numbers,
                              upcall::function<std::string(std::string_view, upcall::term)> f) {
  std::vector<std::string> said;
  said.reserve(numbers.size());
  for (const int each : numbers) said.push_back(f(text, any) + std::to_string(each));
  return said;
}
UPCALL_NIF(echo, upcall::pinned);

upcall::term give_back(upcall::function<upcall::term()> f) {
  const upcall::term first = f();
  f();
  return first;
}
UPCALL_NIF(give_back, upcall::pinned);

/// Functions that functions return; each is dropped before the next.
std::int64_t drop_functions(upcall::function<int_function(std::int64_t)> make, std::int64_t count) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < count; ++i) total = (total + make(i)(i)) % 1009;
  return total;
}
UPCALL_NIF(drop_functions, upcall::pinned);

std::int64_t call_all(std::vector<int_function> functions, std::int64_t x) {
  std::int64_t total = 0;
  for (const int_function& each : functions) total += each(x);
  return total;
}
UPCALL_NIF(call_all, upcall::pinned);

std::string upcase(std::string text) {
  return upcall::function<std::string(std::string)>(upcall::mfa{"Elixir.String", "upcase"})(text);
}
UPCALL_NIF(upcase, upcall::pinned);

std::int64_t call_kept(int_function f, std::int64_t x) {
  const upcall::kept_function<std::int64_t(std::int64_t)> kept = f.keep();
  return kept(x) + kept(x + 1);
}
UPCALL_NIF(call_kept, upcall::pinned);

std::vector<std::int64_t> map_here(int_function f, std::vector<std::int64_t> values) {
  return upcall::map(f, values);
}
UPCALL_NIF(map_here, upcall::pinned);

/// Hands the function itself to another function.
upcall::term pass_on(upcall::function<upcall::term(int_function)> taker, int_function f) {
  return taker(f);
}
UPCALL_NIF(pass_on, upcall::pinned);

UPCALL_NIF(sort_in_c, upcall::pinned);
UPCALL_NIF(sort_unguarded, upcall::pinned);

void fail(std::string text) { throw std::runtime_error(text); }
UPCALL_NIF(fail, upcall::pinned);

std::int64_t apply_on(int_function f, upcall::executor where, std::int64_t x) {
  return f.on(where)(x);
}
UPCALL_NIF(apply_on, upcall::pinned);

/// The same with terms, and with the function itself.
upcall::term apply_terms(upcall::term where, upcall::term f, upcall::term params) {
  return upcall::apply(nullptr, where, f, params).value().as<upcall::term>();
}
UPCALL_NIF_AS("apply_terms", &apply_terms, upcall::pinned);
UPCALL_NIF_AS("apply_terms_in_frame", &apply_terms);

std::int64_t apply_function(upcall::executor where, int_function f, std::int64_t x) {
  return upcall::apply(nullptr, where, f, std::tuple(x)).value().as<std::int64_t>();
}
UPCALL_NIF_AS("apply_function", &apply_function, upcall::pinned);
UPCALL_NIF_AS("apply_function_in_frame", &apply_function);

bool yields(int_function f) {
  upcall::give_time();
  f(1);
  return !upcall::is_abandoned();
}
UPCALL_NIF(yields, upcall::pinned);

// ---- misuse ----

class from_destructor {
 public:
  explicit from_destructor(int_function f) : m_f(std::move(f)) {}
  from_destructor(const from_destructor&) = delete;
  from_destructor& operator=(const from_destructor&) = delete;
  ~from_destructor() { m_f(1); }  // NOLINT(bugprone-exception-escape): what is tested

 private:
  int_function m_f;
};

std::int64_t throwing_destructor(int_function f) {
  const from_destructor last(std::move(f));
  return 1;
}
UPCALL_NIF(throwing_destructor, upcall::pinned);

/// Swallows everything and calls again, for ever.
std::int64_t swallow(int_function f) {
  const counted object;
  for (;;) {
    try {
      f(1);
    } catch (...) {  // NOLINT(bugprone-empty-catch): what is tested
    }
  }
}
UPCALL_NIF(swallow, upcall::pinned);

void tell(const ErlNifPid& receiver, const std::string& text) {
  const upcall::owned_env env;
  enif_send(nullptr, &receiver, env.get(), upcall::encode(env.get(), text));
}

/// Leaves a thread behind that goes on calling, and tells `receiver` what stopped it.
void leave_thread(int_function f, ErlNifPid receiver) {
  std::thread([f = std::move(f), receiver] {
    try {
      for (;;) f(1);
    } catch (const upcall::error& failure) {
      tell(receiver, failure.what());
    } catch (const upcall::abandoned&) {
      tell(receiver, "abandoned");
    }
  }).detach();
}
UPCALL_NIF(leave_thread, upcall::pinned);

/// The same, and ends while the thread's function runs: once that has called `end_body`.
std::promise<void> body_may_end;
void end_body() { body_may_end.set_value(); }
UPCALL_NIF(end_body);
void leave_thread_waiting(int_function f, ErlNifPid receiver) {
  const counted object;
  body_may_end = {};
  leave_thread(f, receiver);
  body_may_end.get_future().wait();
}
UPCALL_NIF(leave_thread_waiting, upcall::pinned);

/// Gives a function of the call to a frame, where it is used on a scheduler.
std::shared_ptr<int_function> leaked;
void leak(int_function f) { leaked = std::make_shared<int_function>(std::move(f)); }
UPCALL_NIF(leak, upcall::pinned);
std::int64_t use_leaked() { return (*std::exchange(leaked, nullptr))(1); }
UPCALL_NIF(use_leaked);

UPCALL_NIF_AS("use_leaked_pinned", &use_leaked, upcall::pinned);

/// The same, while the call that it belongs to goes on.
std::int64_t leak_and_call(int_function f, int_function g) {
  leak(std::move(f));
  return g(1);
}
UPCALL_NIF(leak_and_call, upcall::pinned);

/// Complains of a term whose only copy is gone by then.
std::int64_t decode_copy(upcall::function<upcall::owned_term()> f) {
  return f().as<std::int64_t>();
}
UPCALL_NIF(decode_copy, upcall::pinned);

std::int64_t wait_for_ever(int_function f) {
  const counted object;
  return f(1);
}
UPCALL_NIF(wait_for_ever, upcall::pinned);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Pinned");
