// Errors, in both directions.

#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "bodies.hpp"

namespace {

using any_function = function<upcall::owned_term()>;

body<upcall::owned_term> call(any_function f) { UPCALL_RETURN UPCALL_AWAIT f(); }
UPCALL_NIF(call);

// Destructors run on the way, and C++ in between may look.
std::int64_t released = 0;
struct counted {
  counted() = default;
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { ++released; }
};
body<std::int64_t> unwind(any_function f) {
  const std::int64_t before = released;
  try {
    const counted outer;
    const counted inner;
    UPCALL_AWAIT f();
  } catch (const std::exception&) {
    if (released == before + 2) throw;
  }
  UPCALL_RETURN released;
}
UPCALL_NIF(unwind);

body<std::string> describe(any_function f) {
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error& e) {
    UPCALL_RETURN e.what();
  }
  UPCALL_RETURN "nothing";
}
UPCALL_NIF(describe);

body<upcall::owned_term> stack_trace(any_function f) {
  try {
    UPCALL_AWAIT f();
  } catch (const upcall::error& e) {
    UPCALL_RETURN e.stack_trace();
  }
  UPCALL_RETURN UPCALL_AWAIT f();
}
UPCALL_NIF(stack_trace);

// A second function is called while the first one's error is being handled; by a coroutine, which
// can't await in a catch block, while it is kept.
#if !defined(UPCALL_TEST_COROUTINES)
upcall::owned_term handle(any_function f, any_function handler) {
  try {
    return f();
  } catch (const upcall::error&) {
    handler();
    throw;
  }
}
#else
body<upcall::owned_term> handle(any_function f, any_function handler) {
  std::exception_ptr kept;
  try {
    co_return co_await f();
  } catch (const upcall::error&) {
    kept = std::current_exception();
  }
  co_await handler();
  std::rethrow_exception(kept);
}
#endif
UPCALL_NIF(handle);

struct unknown {};
struct silent : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};
struct own_failure {
  int code;
};

body<> fail(std::string how, std::string text) {
  if (how == "invalid_argument") throw std::invalid_argument(text);
  if (how == "out_of_range") throw std::out_of_range(text);
  if (how == "domain_error") throw std::domain_error(text);
  if (how == "bad_alloc") throw std::bad_alloc();
  if (how == "runtime_error") throw std::runtime_error(text);
  if (how == "unknown") throw unknown{};
  if (how == "own") throw own_failure{7};
  if (how == "length_error") throw std::length_error(text);
  if (how == "raise") upcall::raise("Elixir.ArithmeticError", text);
  if (how == "raise_fields") {
    upcall::raise("Elixir.KeyError", std::pair{"key", text}, std::pair{"term", 1});
  }
  if (how == "raise_temporary") {
    upcall::raise(std::string("Elixir.ArithmeticError").c_str(), text);
  }
  if (how == "null_what") throw silent{};
  if (how == "raise_nothing") upcall::raise("Elixir.NoSuchException", text);
  UPCALL_RETURN;
}
UPCALL_NIF(fail);

void translate(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const own_failure& own) {
    upcall::raise("Elixir.File.Error", std::pair{"reason", "code " + std::to_string(own.code)},
                  std::pair{"action", "own"}, std::pair{"path", "p"});
  } catch (const std::length_error&) {
    upcall::raise("Elixir.ArgumentError", "translated");
  } catch (...) {
  }
}
UPCALL_TRANSLATOR(translate);

// What a translator would suspend for is gone when it goes on.
struct curious {
  any_function f;
};
body<> be_curious(any_function f) {
  throw curious{f};
  UPCALL_RETURN;
}
UPCALL_NIF(be_curious);
void ask(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const curious& c) {
#if !defined(UPCALL_TEST_COROUTINES)
    c.f();
#else
    upcall::give_time();
#endif
  } catch (...) {
  }
}
UPCALL_TRANSLATOR(ask);

#if !defined(UPCALL_TEST_COROUTINES)

// The exception that is on its way makes an upcall where it is destroyed.
struct chatty {
  explicit chatty(any_function called) : f(std::move(called)) {}
  chatty(const chatty&) = delete;
  chatty& operator=(const chatty&) = delete;
  ~chatty() { static_cast<void>(f.try_call()); }  // NOLINT(bugprone-exception-escape)
  any_function f;
};
void fail_chattily(any_function f) { throw std::make_shared<const chatty>(f); }
UPCALL_NIF(fail_chattily);

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Error");
