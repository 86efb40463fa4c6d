// Values that C++ allows, and that are none: moved from, too long for a name, no text, no term.

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>
#include <utility>
#include <vector>

namespace {
struct measure {
  std::int64_t size = 0;
};
}  // namespace

template <>
struct upcall::codec<measure> : upcall::struct_codec<measure, "Elixir.UpcallTest.Größe",
                                                     upcall::field<&measure::size, "größe">> {};

namespace {

using namespace std::chrono_literals;
using int_function = upcall::function<std::int64_t(std::int64_t)>;

// ---- moved from ----

/// Tells of its end, and can be moved.
struct watch {
  watch(upcall::executor_function<void(std::int64_t)> f, std::int64_t of)
      : closed(std::move(f)), number(of) {}
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  watch(watch&&) = default;
  watch& operator=(watch&&) = default;
  ~watch() { closed.cast(number); }

  upcall::executor_function<void(std::int64_t)> closed;
  std::int64_t number;
};
upcall::resource<watch> make_watch(upcall::function<void(std::int64_t)> f, upcall::executor where,
                                   std::int64_t number) {
  watch made(f.on(where), number);
  return upcall::make_resource<watch>(std::move(made));
}
UPCALL_NIF(make_watch);

// NOLINTBEGIN(bugprone-use-after-move, performance-move-const-arg): what this is about
template <class Use>
std::string told(const Use& use) {
  try {
    use();
    return "nothing";
  } catch (const upcall::error& failure) {
    return failure.what();
  }
}
std::vector<std::string> use_moved_from(int_function f, upcall::executor where) {
  auto bound = f.on(where, {.timeout = 10s});
  auto kept = f.keep();
  const auto other_bound = std::move(bound);
  const auto other_kept = std::move(kept);
  return {told([&] { bound(1); }),
          bound.try_call(1).error().what(),
          told([&] { static_cast<void>(bound.submit(1)); }),
          bound.cast(1) ? "accepted" : "refused",
          told([&] { static_cast<void>(kept.here()); }),
          kept.try_call(1).error().what(),
          told([&] { static_cast<void>(kept.on(where)); }),
          told([&] { static_cast<void>(kept.as_owned_term()); }),
          std::to_string(other_bound(1) + other_kept(1))};
}
UPCALL_NIF(use_moved_from);

std::string text_of_moved_from(int_function f) {
  auto given = f.try_call(1);
  std::vector<upcall::result<std::int64_t>> all;
  all.push_back(std::move(given));
  upcall::error failure = all.front().error();
  const upcall::error other = std::move(failure);
  return std::string(given.error().what()) + " " + failure.what();
}
UPCALL_NIF(text_of_moved_from);

std::int64_t term_moved_from() {
  ErlNifEnv* const env = upcall::detail::current_env();
  upcall::owned_term moved(enif_make_list1(env, enif_make_int(env, 7)));
  { const upcall::owned_term gone = std::move(moved); }
  return moved.as<std::vector<std::int64_t>>().at(0);
}
UPCALL_NIF(term_moved_from);

upcall::resource<std::int64_t> resource_moved_from() {
  auto made = upcall::make_resource<std::int64_t>(1);
  const auto other = std::move(made);
  const auto copy = made;
  return made;
}
UPCALL_NIF(resource_moved_from);
// NOLINTEND(bugprone-use-after-move, performance-move-const-arg)

// ---- names ----

std::int64_t call_named(std::string module, std::string function) {
  return upcall::function<std::int64_t(std::int64_t)>(
      upcall::mfa{module.c_str(), function.c_str()})(-1);
}
UPCALL_NIF(call_named);
UPCALL_NIF_AS("call_named_pinned", &call_named, upcall::pinned);

upcall::task<std::int64_t> call_named_in_task(std::string module, std::string function) {
  const auto f = co_await upcall::async_function<std::int64_t(std::int64_t)>::named(
      {module.c_str(), function.c_str()});
  co_return co_await f(-1);
}
UPCALL_NIF(call_named_in_task);

void raise_named(std::string module) { upcall::raise(module.c_str(), "of C++"); }
UPCALL_NIF(raise_named);
UPCALL_NIF_AS("raise_named_pinned", &raise_named, upcall::pinned);

void raise_field(std::string module, std::string field) {
  upcall::raise(module.c_str(), std::pair{field.c_str(), 1});
}
UPCALL_NIF(raise_field);
UPCALL_NIF_AS("raise_field_pinned", &raise_field, upcall::pinned);

std::int64_t size_of(measure given) { return given.size; }
UPCALL_NIF(size_of);
measure twice(measure given) { return {2 * given.size}; }
UPCALL_NIF(twice);

// ---- texts ----

void fail_with_bytes(std::int64_t size) {
  throw std::runtime_error(std::string(static_cast<std::size_t>(size), '\xff'));
}
UPCALL_NIF(fail_with_bytes);

// ---- errors ----

void pass(int_function f) { f(1); }
UPCALL_NIF_AS("pass", &pass);
UPCALL_NIF_AS("pass_pinned", &pass, upcall::pinned);

std::string text(int_function f) { return f.try_call(1).error().what(); }
UPCALL_NIF_AS("text", &text);
UPCALL_NIF_AS("text_pinned", &text, upcall::pinned);

std::string text_on(int_function f, upcall::executor where) {
  return f.on(where).try_call(1).error().what();
}
UPCALL_NIF(text_on);

std::string text_at_end(int_function f, int_function between) {
  const auto given = f.try_call(1);
  between(1);
  return given.error().what();
}
UPCALL_NIF(text_at_end);

void fail_in_destructor(int_function f) {
  struct calling {
    explicit calling(int_function called) : g(std::move(called)) {}
    calling(const calling&) = delete;
    calling& operator=(const calling&) = delete;
    ~calling() { g(1); }  // NOLINT(bugprone-exception-escape)
    int_function g;
  };
  const calling last(f);
}
UPCALL_NIF(fail_in_destructor);

std::int64_t decode_nothing() { return upcall::term(0).as<std::int64_t>(); }
UPCALL_NIF(decode_nothing);

// ---- threads ----

/// A thread of a pinned body calls until it is told that nobody waits.
void call_on_thread(int_function f, upcall::executor_function<void(std::string)> tell) {
  std::jthread([&] {
    for (;;) {
      const auto given = f.try_call(1);
      if (given) continue;
      tell.cast(given.error().what());
      return;
    }
  }).join();
}
void call_on_thread_on(int_function f, upcall::function<void(std::string)> tell,
                       upcall::executor where) {
  call_on_thread(std::move(f), tell.on(where));
}
UPCALL_NIF_AS("call_on_thread", &call_on_thread_on, upcall::pinned);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.OddValues");
