// Frames whose caller dies, and frames that can neither go on nor end.

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "bodies.hpp"
#include "counted.hpp"

namespace {

using number_function = function<std::int64_t(std::int64_t)>;

std::atomic<std::int64_t> frames_seen_abandoned{0};
body<std::int64_t> seen_abandoned() { UPCALL_RETURN frames_seen_abandoned; }
UPCALL_NIF(seen_abandoned);

body<std::int64_t> calls_below(const number_function& f, int depth) {
  const counted object;
  const std::string on_the_heap(100, 'x');
  if (depth == 0) UPCALL_RETURN UPCALL_AWAIT f(1);
  const std::int64_t result = UPCALL_AWAIT calls_below(f, depth - 1);
  const counted later;
  UPCALL_RETURN result + static_cast<std::int64_t>(on_the_heap.size());
}

/// Makes an upcall below `depth` native frames with an object each.
body<std::int64_t> hold(number_function f, int depth) {
  const counted object;
  UPCALL_RETURN UPCALL_AWAIT calls_below(f, depth);
}
UPCALL_NIF(hold);

std::int64_t sum_of(const upcall::owned_term& list) {
  std::int64_t sum = 0;
  for (const upcall::term& each : list.as<std::vector<upcall::term>>()) {
    sum += each.as<std::int64_t>();
  }
  return sum;
}

#if !defined(UPCALL_TEST_COROUTINES)

/// What C++ that handles every error of its own sees of a dead caller.
std::int64_t handles_errors(number_function f) {
  const counted object;
  try {
    return f.try_call(1).value_or(-1);
  } catch (const std::exception&) {
    return -2;
  } catch (const upcall::abandoned&) {
    if (upcall::is_abandoned()) ++frames_seen_abandoned;
    throw;
  }
}

/// What it owns it can read also when its process is gone.
std::int64_t reads_owned(number_function f, upcall::owned_term list) {
  const counted object;
  try {
    return f(1);
  } catch (const upcall::abandoned&) {
    if (sum_of(list) == 5050) ++frames_seen_abandoned;
    throw;
  }
}

#else

// A coroutine gets no exception of its caller's death: it is destroyed.
template <class Note>
struct at_end {
  explicit at_end(Note noted) noexcept : note(std::move(noted)) {}
  at_end(const at_end&) = delete;
  at_end& operator=(const at_end&) = delete;
  ~at_end() { note(); }  // NOLINT(bugprone-exception-escape): what is noted does not throw
  Note note;
};

body<std::int64_t> handles_errors(number_function f) {
  const counted object;
  const at_end note([] {
    if (upcall::is_abandoned()) ++frames_seen_abandoned;
  });
  try {
    co_return (co_await f.try_call(1)).value_or(-1);
  } catch (...) {
    --frames_seen_abandoned;
    throw;
  }
}

body<std::int64_t> reads_owned(number_function f, upcall::owned_term list) {
  const counted object;
  const at_end note([&list] {
    if (upcall::is_abandoned() && sum_of(list) == 5050) ++frames_seen_abandoned;
  });
  co_return co_await f(1);
}

#endif

UPCALL_NIF(handles_errors);
UPCALL_NIF(reads_owned);

/// Makes upcalls also after the first of them has found the caller dead.
body<std::int64_t> goes_on_for_a_while(number_function f) {
  const counted object;
  for (std::int64_t i = 0; i < 50; ++i) {
    try {
      const counted inner;
      UPCALL_AWAIT f(i);
    } catch (...) {
      if (upcall::is_abandoned()) ++frames_seen_abandoned;
    }
  }
  UPCALL_RETURN 1;
}
UPCALL_NIF(goes_on_for_a_while);

body<std::int64_t> never_gives_up(number_function f) {
  for (;;) {
    try {
      UPCALL_AWAIT f(1);
    } catch (...) {
    }
  }
}
UPCALL_NIF(never_gives_up);

body<> yields_for_ever() {
  for (;;) {
    try {
      UPCALL_AWAIT upcall::give_time();
    } catch (...) {
    }
  }
}
UPCALL_NIF(yields_for_ever);

// ---- upcalls by destructors ----

#if !defined(UPCALL_TEST_COROUTINES)

// What must not throw does here, which is what is tested.
// NOLINTBEGIN(bugprone-exception-escape)
class calls_in_destructor {
 public:
  explicit calls_in_destructor(number_function f) noexcept : m_function(std::move(f)) {}
  calls_in_destructor(const calls_in_destructor&) = delete;
  calls_in_destructor& operator=(const calls_in_destructor&) = delete;
  ~calls_in_destructor() { m_function(2); }

 private:
  number_function m_function;
};

class calls_in_throwing_destructor {
 public:
  explicit calls_in_throwing_destructor(number_function f) noexcept : m_function(std::move(f)) {}
  calls_in_throwing_destructor(const calls_in_throwing_destructor&) = delete;
  calls_in_throwing_destructor& operator=(const calls_in_throwing_destructor&) = delete;
  ~calls_in_throwing_destructor() noexcept(false) { m_function(2); }

 private:
  number_function m_function;
};

// NOLINTEND(bugprone-exception-escape)

// Where a destructor that has swallowed the death of its caller waits.
std::atomic<bool> gate_is_open{true};
void open_gate(bool opened) {
  gate_is_open = opened;
  gate_is_open.notify_all();
}
UPCALL_NIF(open_gate);

class calls_in_careful_destructor {
 public:
  explicit calls_in_careful_destructor(number_function f) noexcept : m_function(std::move(f)) {}
  calls_in_careful_destructor(calls_in_careful_destructor&& other) noexcept
      : m_function(std::exchange(other.m_function, std::nullopt)) {}
  calls_in_careful_destructor(const calls_in_careful_destructor&) = delete;
  calls_in_careful_destructor& operator=(const calls_in_careful_destructor&) = delete;
  calls_in_careful_destructor& operator=(calls_in_careful_destructor&&) = delete;
  ~calls_in_careful_destructor() {
    if (!m_function) return;
    try {
      (*m_function)(2);
    } catch (...) {
      gate_is_open.wait(false);
    }
  }

 private:
  std::optional<number_function> m_function;
};

/// `f(1)` by the body, `f(2)` by the destructor of what it holds.
template <class Caller>
std::int64_t destructor_calls(number_function f) {
  const counted object;
  const Caller caller(f);
  return f(1);
}
UPCALL_NIF_AS("destructor_calls", &destructor_calls<calls_in_destructor>);
UPCALL_NIF_AS("throwing_destructor_calls", &destructor_calls<calls_in_throwing_destructor>);
UPCALL_NIF_AS("careful_destructor_calls", &destructor_calls<calls_in_careful_destructor>);

}  // namespace

template <>
struct upcall::codec<calls_in_careful_destructor> {
  static calls_in_careful_destructor decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return calls_in_careful_destructor(upcall::decode<number_function>(env, raw));
  }
};

namespace {

/// Its argument makes an upcall when the result has been made.
std::string calls_after_result(const calls_in_careful_destructor&, std::string text) {
  const counted object;
  return text;
}
UPCALL_NIF(calls_after_result);

#endif

// ---- errors that can go nowhere ----

// NOLINTBEGIN(bugprone-exception-escape)
[[noreturn]] void fail(const std::string& text) { throw std::runtime_error(text); }

#if !defined(UPCALL_TEST_COROUTINES)

std::int64_t noexcept_call(const number_function& f) noexcept { return f(1); }

std::int64_t calls_in_noexcept(number_function f, bool after_upcall) {
  if (after_upcall) f(0);
  return noexcept_call(f);
}

#else

std::int64_t noexcept_rethrow(const std::exception_ptr& failure) noexcept {
  std::rethrow_exception(failure);
}

/// The function's error comes to the coroutine first.
body<std::int64_t> calls_in_noexcept(number_function f, bool after_upcall) {
  if (after_upcall) co_await f(0);
  std::exception_ptr failure;
  try {
    co_return co_await f(1);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return noexcept_rethrow(failure);
}

#endif

UPCALL_NIF(calls_in_noexcept);

body<> throws_in_noexcept(std::string text) {
  const auto fails = [&]() noexcept { fail(text); };
  fails();
  UPCALL_RETURN;
}
UPCALL_NIF(throws_in_noexcept);

struct throws_when_abandoned {
  throws_when_abandoned() = default;
  throws_when_abandoned(const throws_when_abandoned&) = delete;
  throws_when_abandoned& operator=(const throws_when_abandoned&) = delete;
  ~throws_when_abandoned() {
    if (upcall::is_abandoned()) fail("a destructor");
  }
};
body<std::int64_t> destructor_throws(number_function f) {
  const throws_when_abandoned object;
  UPCALL_RETURN UPCALL_AWAIT f(1);
}
UPCALL_NIF(destructor_throws);
// NOLINTEND(bugprone-exception-escape)

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.FrameAbandoned");
