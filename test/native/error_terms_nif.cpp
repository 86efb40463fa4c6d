// What becomes of the terms of an error, wherever it is taken.

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <upcall/stl.hpp>
#include <utility>

#include "bodies.hpp"
#include "counted.hpp"

namespace {

using any_function = function<upcall::owned_term()>;

/// What native code sees of an error: its text, its reason, whether that is a text, and its stack
/// trace.
using seen = std::tuple<std::string, upcall::owned_term, bool, upcall::owned_term>;
seen look_at(const upcall::error& failure) {
  return {failure.what(), failure.reason(), failure.is_text(), failure.stack_trace()};
}
seen look_at(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const upcall::error& e) {
    return look_at(e);
  }
}

body<> call(any_function f) {
  UPCALL_AWAIT f();
  UPCALL_RETURN;
}
UPCALL_NIF(call);

body<> drop(any_function f) {
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
  }
  UPCALL_RETURN;
}
UPCALL_NIF(drop);

body<seen> look(any_function f) {
  std::exception_ptr failure;
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
    failure = std::current_exception();
  }
  UPCALL_RETURN look_at(failure);
}
UPCALL_NIF(look);

body<upcall::term> borrow(any_function f) {
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error& e) {
    UPCALL_RETURN e.borrow_reason();
  }
  throw std::runtime_error("nothing was raised");
}
UPCALL_NIF(borrow);

body<upcall::term> outcome(any_function f) {
  const upcall::result<> given = UPCALL_AWAIT f.try_call();
  UPCALL_RETURN upcall::term(given.to_term(upcall::detail::current_env()));
}
UPCALL_NIF(outcome);

// The error lives on while other functions run.
body<> call_between(any_function f, any_function between, std::int64_t times) {
  std::exception_ptr kept;
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
    kept = std::current_exception();
  }
  for (std::int64_t i = 0; i < times; ++i) UPCALL_AWAIT between();
  std::rethrow_exception(kept);
}
UPCALL_NIF(call_between);

body<seen> look_later(any_function f, any_function between) {
  std::exception_ptr kept;
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
    kept = std::current_exception();
  }
  UPCALL_AWAIT between();
  UPCALL_RETURN look_at(kept);
}
UPCALL_NIF(look_later);

body<upcall::term> borrow_later(any_function f, any_function between) {
  std::optional<upcall::error> kept;
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error& e) {
    kept = e;
  }
  UPCALL_AWAIT between();
  UPCALL_RETURN kept.value().borrow_reason();
}
UPCALL_NIF(borrow_later);

// Many errors, each of which is dropped before the next.
body<std::int64_t> drop_many(any_function f, any_function between, std::int64_t times) {
  std::int64_t dropped = 0;
  for (std::int64_t i = 0; i < times; ++i) {
    std::optional<upcall::error> kept;
    try {
      UPCALL_AWAIT f();
    } catch (const upcall::error& e) {
      kept = e;
    }
    UPCALL_AWAIT between();
    dropped += kept.has_value() ? 1 : 0;
  }
  UPCALL_RETURN dropped;
}
UPCALL_NIF(drop_many);

body<seen> look_on_thread(any_function f) {
  std::exception_ptr failure;
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
    failure = std::current_exception();
  }
  std::optional<seen> what;
  std::thread([&] { what = look_at(failure); }).join();
  UPCALL_RETURN what.value();
}
UPCALL_NIF(look_on_thread);

// After Elixir has it: another thread can't.
body<seen> look_on_thread_later(any_function f, any_function between) {
  std::exception_ptr failure;
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
    failure = std::current_exception();
  }
  UPCALL_AWAIT between();
  std::optional<seen> what;
  std::thread([&] { what = look_at(failure); }).join();
  UPCALL_RETURN what.value();
}
UPCALL_NIF(look_on_thread_later);

// One that outlives its native call, and maybe its process.
std::exception_ptr left;
body<> leave(any_function f, any_function between, bool is_between) {
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error&) {
    left = std::current_exception();
  }
  if (is_between) UPCALL_AWAIT between();
  UPCALL_RETURN;
}
UPCALL_NIF(leave);
body<> raise_left() {
  const std::exception_ptr found = std::exchange(left, nullptr);
  std::rethrow_exception(found);
  UPCALL_RETURN;
}
UPCALL_NIF(raise_left);
body<seen> look_at_left() {
  const std::exception_ptr found = std::exchange(left, nullptr);
  UPCALL_RETURN look_at(found);
}
UPCALL_NIF(look_at_left);

#if defined(UPCALL_TEST_COROUTINES)
body<std::string> banner(any_function f) {
  const counted holder;
  std::optional<upcall::error> kept;
  try {
    co_await f();
  } catch (const upcall::error& e) {
    kept = e;
  }
  co_return co_await kept.value().async_banner();
}
body<std::string> native_banner() {
  co_return co_await upcall::error("Elixir.ArgumentError", "of C++").async_banner();
}
#else
std::string banner(any_function f) {
  const counted holder;
  try {
    f();
  } catch (const upcall::error& e) {
    return e.banner();
  }
  return "nothing";
}
std::string native_banner() { return upcall::error("Elixir.ArgumentError", "of C++").banner(); }
#endif
UPCALL_NIF(banner);
UPCALL_NIF(native_banner);

// What is thrown around an error of Elixir's.
struct wrapped {};
struct own_error : upcall::error {
  own_error() : upcall::error("Elixir.ArgumentError", "outermost") {}
};
void throw_around(const std::string& how) {
  if (how == "runtime_error") std::throw_with_nested(std::runtime_error("while opening"));
  if (how == "error") std::throw_with_nested(own_error());
  if (how == "untyped") std::throw_with_nested(wrapped());
  if (how == "invalid_argument") std::throw_with_nested(std::invalid_argument("bad path"));
}
body<> nest(any_function f, std::string outer, std::string outermost) {
  try {
    try {
      UPCALL_AWAIT f();
    } catch (...) {
      throw_around(outer);
      throw;
    }
  } catch (...) {
    throw_around(outermost);
    throw;
  }
  UPCALL_RETURN;
}
UPCALL_NIF(nest);

body<> nest_own(std::string outer) {
  try {
    upcall::raise("Elixir.ArgumentError", "of C++");
  } catch (...) {
    throw_around(outer);
  }
  UPCALL_RETURN;
}
UPCALL_NIF(nest_own);

struct translated : std::exception {};
body<> nest_translated(any_function f) {
  try {
    UPCALL_AWAIT f();
  } catch (...) {
    std::throw_with_nested(translated());
  }
  UPCALL_RETURN;
}
UPCALL_NIF(nest_translated);
void translate(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const translated&) {
    const std::optional<upcall::error> inner = upcall::innermost_error(failure);
    upcall::raise("Elixir.ArgumentError", std::string("translated: ") + inner.value().what());
  } catch (...) {
  }
}
UPCALL_TRANSLATOR(translate);

#if !defined(UPCALL_TEST_COROUTINES)

// The same on threads of their own.
void pinned_call(any_function f) { f(); }
UPCALL_NIF(pinned_call, upcall::pinned);
seen pinned_look(any_function f) { return look(f); }
UPCALL_NIF(pinned_look, upcall::pinned);
void pinned_call_between(any_function f, any_function between, std::int64_t times) {
  call_between(f, between, times);
}
UPCALL_NIF(pinned_call_between, upcall::pinned);
std::int64_t pinned_drop_many(any_function f, any_function between, std::int64_t times) {
  return drop_many(f, between, times);
}
UPCALL_NIF(pinned_drop_many, upcall::pinned);
std::string pinned_banner(any_function f) { return banner(f); }
UPCALL_NIF(pinned_banner, upcall::pinned);
void pinned_nest(any_function f, std::string outer) { nest(f, outer, ""); }
UPCALL_NIF(pinned_nest, upcall::pinned);
// It is raised while another thread makes the process drop and add roots.
void pinned_call_beside(any_function f, any_function beside) {
  std::exception_ptr failure;
  try {
    f();
  } catch (const upcall::error&) {
    failure = std::current_exception();
  }
  std::thread([&] {
    for (int i = 0; i < 100; ++i) beside();
  }).join();
  std::rethrow_exception(failure);
}
UPCALL_NIF(pinned_call_beside, upcall::pinned);
void pinned_leave(any_function f, any_function between, bool is_between) {
  leave(f, between, is_between);
}
UPCALL_NIF(pinned_leave, upcall::pinned);

// In another process.
void executor_call(any_function f, upcall::executor where) {
  f.on(where, {.timeout = std::chrono::minutes(1)})();
}
UPCALL_NIF(executor_call);
seen executor_look(any_function f, upcall::executor where) {
  return look_at(f.on(where).try_call().error());
}
UPCALL_NIF(executor_look);
bool executor_cast(any_function f, upcall::executor where) { return f.on(where).cast(); }
UPCALL_NIF(executor_cast);

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.ErrorTerms");
