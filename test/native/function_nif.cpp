// Functions: passed, kept, named, deep in other terms, misused.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <upcall/stl.hpp>
#include <vector>

#include "bodies.hpp"
#if !defined(UPCALL_TEST_COROUTINES)
#include "c_sort.hpp"
#endif

namespace {

using int_function = function<std::int64_t(std::int64_t)>;

body<std::int64_t> apply_one(int_function f, std::int64_t x) { UPCALL_RETURN UPCALL_AWAIT f(x); }
UPCALL_NIF(apply_one);

body<std::int64_t> apply_none(function<std::int64_t()> f) { UPCALL_RETURN UPCALL_AWAIT f(); }
UPCALL_NIF(apply_none);

body<std::int64_t> apply_two(function<std::int64_t(std::int64_t, std::int64_t)> f) {
  UPCALL_RETURN UPCALL_AWAIT f(1, 2);
}
UPCALL_NIF(apply_two);

body<std::string> apply_four(function<std::string(std::string, std::int64_t, double, bool)> f) {
  UPCALL_RETURN UPCALL_AWAIT f("four", 4, 4.5, true);
}
UPCALL_NIF(apply_four);

body<> call_for_effect(function<void(std::string)> f) {
  UPCALL_AWAIT f("first");
  UPCALL_AWAIT f("second");
}
UPCALL_NIF(call_for_effect);

// The value is borrowed until the next upcall, and the second one must not disturb it.
body<std::int64_t> alternate(int_function f, int_function g, std::uint16_t times) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < times; ++i) sum += UPCALL_AWAIT f(i) - UPCALL_AWAIT g(i);
  UPCALL_RETURN sum;
}
UPCALL_NIF(alternate);

body<std::int64_t> term_result(function<upcall::term()> f) {
  UPCALL_RETURN static_cast<std::int64_t>((UPCALL_AWAIT f()).as<std::string>().size());
}
UPCALL_NIF(term_result);

body<std::vector<std::int64_t>> each_of(std::vector<int_function> functions, std::int64_t x) {
  std::vector<std::int64_t> results;
  results.reserve(functions.size());
  for (const int_function& f : functions) results.push_back(UPCALL_AWAIT f(x));
  UPCALL_RETURN results;
}
UPCALL_NIF(each_of);

body<std::int64_t> in_map(std::map<std::string, int_function> functions, std::string name) {
  UPCALL_RETURN UPCALL_AWAIT functions.at(name)(20);
}
UPCALL_NIF(in_map);

body<std::int64_t> curried(function<int_function(std::int64_t)> add) {
  UPCALL_RETURN UPCALL_AWAIT(UPCALL_AWAIT add(1))(2);
}
UPCALL_NIF(curried);

// Elixir gets the function that it passed back: as an argument, and as the result.
body<std::int64_t> pass_on(function<std::int64_t(int_function)> outer, int_function inner) {
  UPCALL_RETURN UPCALL_AWAIT outer(inner);
}
UPCALL_NIF(pass_on);
body<int_function> give_back(int_function f) { UPCALL_RETURN f; }
UPCALL_NIF(give_back);

body<std::string> upcase(std::string text) {
  const auto f = UPCALL_AWAIT named<std::string(std::string)>({"Elixir.String", "upcase"});
  UPCALL_RETURN UPCALL_AWAIT f(text);
}
UPCALL_NIF(upcase);
body<std::int64_t> unknown_mfa() {
  UPCALL_RETURN UPCALL_AWAIT(
      UPCALL_AWAIT named<std::int64_t()>({"Elixir.NoSuchModule", "nothing"}))();
}
UPCALL_NIF(unknown_mfa);

body<std::string> try_it(int_function f) {
  const upcall::result<std::int64_t> outcome = UPCALL_AWAIT f.try_call(1);
  if (outcome) UPCALL_RETURN "value " + std::to_string(outcome.value());
  const char* kinds[] = {"raised", "exited", "threw"};
  UPCALL_RETURN std::string(kinds[static_cast<int>(outcome.error().kind())]) + " " +
      outcome.error().what();
}
UPCALL_NIF(try_it);

body<upcall::owned_term> reason_of(int_function f) {
  UPCALL_RETURN(UPCALL_AWAIT f.try_call(1)).error().reason();
}
UPCALL_NIF(reason_of);

// ---- existing C++ that knows nothing of Upcall ----

#if !defined(UPCALL_TEST_COROUTINES)
namespace library {
double trapezoid(const std::function<double(double)>& f, double a, double b) {
  return (f(a) + f(b)) / 2 * (b - a);
}
struct accumulator {
  std::int64_t sum = 0;
  std::int64_t add(std::int64_t value) { return sum += value; }
  void add(const std::string& text) { sum += static_cast<std::int64_t>(text.size()); }
  [[nodiscard]] std::int64_t total() const noexcept { return sum; }
};
}  // namespace library
UPCALL_NIF(library::trapezoid);
UPCALL_NIF_AS("add!", static_cast<std::int64_t (library::accumulator::*)(std::int64_t)>(
                          &library::accumulator::add));
UPCALL_NIF_AS("add_text", static_cast<void (library::accumulator::*)(const std::string&)>(
                              &library::accumulator::add));
UPCALL_NIF_AS("total?", &library::accumulator::total);
#else
namespace library {
struct accumulator {
  std::int64_t sum = 0;
  upcall::task<std::int64_t> add(std::int64_t value) { co_return sum += value; }
  upcall::task<> add(std::string text) {
    sum += static_cast<std::int64_t>(text.size());
    co_return;
  }
  [[nodiscard]] upcall::task<std::int64_t> total() const noexcept { co_return sum; }
};
}  // namespace library
UPCALL_NIF_AS("add!",
              static_cast<upcall::task<std::int64_t> (library::accumulator::*)(std::int64_t)>(
                  &library::accumulator::add));
UPCALL_NIF_AS("add_text", static_cast<upcall::task<> (library::accumulator::*)(std::string)>(
                              &library::accumulator::add));
UPCALL_NIF_AS("total?", &library::accumulator::total);
#endif
body<upcall::resource<library::accumulator>> accumulator() {
  UPCALL_RETURN upcall::make_resource<library::accumulator>();
}
UPCALL_NIF(accumulator);

// More than the VM aligns a resource to.
struct alignas(64) aligned {
  double lanes[8]{};
};
body<std::uint64_t> misalignment(upcall::resource<aligned> object) {
  UPCALL_RETURN reinterpret_cast<std::uintptr_t>(object.get()) % alignof(aligned);
}
UPCALL_NIF(misalignment);
body<upcall::resource<aligned>> aligned_object() { UPCALL_RETURN upcall::make_resource<aligned>(); }
UPCALL_NIF(aligned_object);

body<upcall::atom> atom_of_function() {
  static const upcall::static_atom made_late{"made_late_by_a_function"};
  UPCALL_RETURN made_late;
}
UPCALL_NIF(atom_of_function);

// ---- functions that outlive a call ----

struct handler {
  upcall::kept_function<std::int64_t(std::int64_t)> f;
};
body<upcall::resource<handler>> keep(int_function f) {
  UPCALL_RETURN upcall::make_resource<handler>(f.keep());
}
UPCALL_NIF(keep);
body<std::int64_t> call_kept(upcall::resource<handler> kept, std::uint16_t times) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < times; ++i) sum += UPCALL_AWAIT call_here(kept->f, i);
  UPCALL_RETURN sum;
}
UPCALL_NIF(call_kept);

std::mutex escaped_mutex;
std::optional<int_function> escaped;
body<> let_escape(int_function f) {
  const std::lock_guard lock(escaped_mutex);
  escaped = f;
  UPCALL_RETURN;
}
UPCALL_NIF(let_escape);
body<std::int64_t> call_escaped() {
  const int_function f = [] {
    const std::lock_guard lock(escaped_mutex);
    return escaped.value();
  }();
  UPCALL_RETURN UPCALL_AWAIT f(1);
}
UPCALL_NIF(call_escaped);
body<std::int64_t> keep_escaped() {
  const int_function f = [] {
    const std::lock_guard lock(escaped_mutex);
    return escaped.value();
  }();
  static_cast<void>(f.keep());
  UPCALL_RETURN 0;
}
UPCALL_NIF(keep_escaped);

/// Calls it there; a coroutine, which could not await that, looks at it.
body<std::string> call_on_other_thread(int_function f) {
  std::string message;
  std::thread([&] {
    try {
#if !defined(UPCALL_TEST_COROUTINES)
      f(1);
#else
      static_cast<void>(f.as_term());
#endif
    } catch (const upcall::error& e) {
      message = e.what();
    }
  }).join();
  UPCALL_RETURN message;
}
UPCALL_NIF(call_on_other_thread);

body<std::int64_t> call_moved_from(int_function f) {
  const int_function g = std::move(f);
  const int_function copy = f;  // NOLINT(bugprone-use-after-move): the misuse under test
  UPCALL_RETURN UPCALL_AWAIT copy(1) + UPCALL_AWAIT g(1);
}
UPCALL_NIF(call_moved_from);

// ---- C in between ----

#if !defined(UPCALL_TEST_COROUTINES)
UPCALL_NIF(sort_in_c);
UPCALL_NIF(sort_unguarded);
#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Function");
