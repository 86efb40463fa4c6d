// Functions: passed, kept, named, deep in other terms, misused.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <vector>

#include "c_sort.hpp"

namespace {

using int_function = upcall::function<std::int64_t(std::int64_t)>;

std::int64_t apply_one(int_function f, std::int64_t x) { return f(x); }
UPCALL_NIF(apply_one);

std::int64_t apply_none(upcall::function<std::int64_t()> f) { return f(); }
UPCALL_NIF(apply_none);

std::int64_t apply_two(upcall::function<std::int64_t(std::int64_t, std::int64_t)> f) {
  return f(1, 2);
}
UPCALL_NIF(apply_two);

std::string apply_four(upcall::function<std::string(std::string, std::int64_t, double, bool)> f) {
  return f("four", 4, 4.5, true);
}
UPCALL_NIF(apply_four);

void call_for_effect(upcall::function<void(std::string)> f) {
  f("first");
  f("second");
}
UPCALL_NIF(call_for_effect);

// The value is borrowed until the next upcall, and the second one must not disturb it.
std::int64_t alternate(int_function f, int_function g, std::uint16_t times) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < times; ++i) sum += f(i) - g(i);
  return sum;
}
UPCALL_NIF(alternate);

std::int64_t term_result(upcall::function<upcall::term()> f) {
  return static_cast<std::int64_t>(f().as<std::string>().size());
}
UPCALL_NIF(term_result);

std::vector<std::int64_t> each_of(std::vector<int_function> functions, std::int64_t x) {
  std::vector<std::int64_t> results;
  results.reserve(functions.size());
  for (const int_function& f : functions) results.push_back(f(x));
  return results;
}
UPCALL_NIF(each_of);

std::int64_t in_map(std::map<std::string, int_function> functions, std::string name) {
  return functions.at(name)(20);
}
UPCALL_NIF(in_map);

std::int64_t curried(upcall::function<int_function(std::int64_t)> add) { return add(1)(2); }
UPCALL_NIF(curried);

// Elixir gets the function that it passed back: as an argument, and as the result.
std::int64_t pass_on(upcall::function<std::int64_t(int_function)> outer, int_function inner) {
  return outer(inner);
}
UPCALL_NIF(pass_on);
int_function give_back(int_function f) { return f; }
UPCALL_NIF(give_back);

std::string upcase(std::string text) {
  const upcall::function<std::string(std::string)> f{upcall::mfa{"Elixir.String", "upcase"}};
  return f(text);
}
UPCALL_NIF(upcase);
std::int64_t unknown_mfa() {
  return upcall::function<std::int64_t()>{upcall::mfa{"Elixir.NoSuchModule", "nothing"}}();
}
UPCALL_NIF(unknown_mfa);

std::string try_it(int_function f) {
  const upcall::result<std::int64_t> outcome = f.try_call(1);
  if (outcome) return "value " + std::to_string(outcome.value());
  const char* kinds[] = {"raised", "exited", "threw"};
  return std::string(kinds[static_cast<int>(outcome.error().kind())]) + " " +
         outcome.error().what();
}
UPCALL_NIF(try_it);

upcall::owned_term reason_of(int_function f) { return f.try_call(1).error().reason(); }
UPCALL_NIF(reason_of);

// ---- existing C++ that knows nothing of Upcall ----

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
upcall::resource<library::accumulator> accumulator() {
  return upcall::make_resource<library::accumulator>();
}
UPCALL_NIF(accumulator);

// More than the VM aligns a resource to.
struct alignas(64) aligned {
  double lanes[8]{};
};
std::uint64_t misalignment(upcall::resource<aligned> object) {
  return reinterpret_cast<std::uintptr_t>(object.get()) % alignof(aligned);
}
UPCALL_NIF(misalignment);
upcall::resource<aligned> aligned_object() { return upcall::make_resource<aligned>(); }
UPCALL_NIF(aligned_object);

upcall::atom atom_of_function() {
  static const upcall::static_atom made_late{"made_late_by_a_function"};
  return made_late;
}
UPCALL_NIF(atom_of_function);

// ---- functions that outlive a call ----

struct handler {
  upcall::kept_function<std::int64_t(std::int64_t)> f;
};
upcall::resource<handler> keep(int_function f) { return upcall::make_resource<handler>(f.keep()); }
UPCALL_NIF(keep);
std::int64_t call_kept(upcall::resource<handler> kept, std::uint16_t times) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < times; ++i) sum += kept->f(i);
  return sum;
}
UPCALL_NIF(call_kept);

std::mutex escaped_mutex;
std::optional<int_function> escaped;
void let_escape(int_function f) {
  const std::lock_guard lock(escaped_mutex);
  escaped = f;
}
UPCALL_NIF(let_escape);
std::int64_t call_escaped() {
  const int_function f = [] {
    const std::lock_guard lock(escaped_mutex);
    return *escaped;
  }();
  return f(1);
}
UPCALL_NIF(call_escaped);
std::int64_t keep_escaped() {
  const int_function f = [] {
    const std::lock_guard lock(escaped_mutex);
    return *escaped;
  }();
  static_cast<void>(f.keep());
  return 0;
}
UPCALL_NIF(keep_escaped);

std::string call_on_other_thread(int_function f) {
  std::string message;
  std::thread([&] {
    try {
      f(1);
    } catch (const upcall::error& e) {
      message = e.what();
    }
  }).join();
  return message;
}
UPCALL_NIF(call_on_other_thread);

std::int64_t call_moved_from(int_function f) {
  const int_function g = std::move(f);
  const int_function copy = f;  // NOLINT(bugprone-use-after-move): the misuse under test
  return copy(1) + g(1);
}
UPCALL_NIF(call_moved_from);

// ---- C in between ----

UPCALL_NIF(sort_in_c);
UPCALL_NIF(sort_unguarded);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Function");
