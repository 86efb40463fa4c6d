// Frames: exceptions, nesting, functions that come and go, views, results.

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "bodies.hpp"
#include "counted.hpp"

namespace {

body<upcall::term> call(function<upcall::term(upcall::term)> f, upcall::term x) {
  UPCALL_RETURN UPCALL_AWAIT f(x);
}
UPCALL_NIF(call);

// ---- exceptions ----

void check(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

std::string text_of_current_exception() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// Counts how often the frame went on on another thread.
class thread_watch {
 public:
  void look() {
    const pid_t now = ::gettid();
    if (now != m_last) ++m_moves;
    m_last = now;
  }
  [[nodiscard]] std::int64_t moves() const { return m_moves; }

 private:
  pid_t m_last = ::gettid();
  std::int64_t m_moves = 0;
};

#if !defined(UPCALL_TEST_COROUTINES)

/// Makes an upcall while an exception passes by.
class calls_while_unwinding {
 public:
  calls_while_unwinding(const upcall::function<void(std::string)>& f, bool& held) noexcept
      : m_f(f), m_held(held) {}
  calls_while_unwinding(const calls_while_unwinding&) = delete;
  calls_while_unwinding& operator=(const calls_while_unwinding&) = delete;
  ~calls_while_unwinding() {  // NOLINT(bugprone-exception-escape): its function does not raise
    const bool before = std::uncaught_exceptions() == 1;
    m_f("unwinding");
    m_held = before && std::uncaught_exceptions() == 1;
  }

 private:
  const upcall::function<void(std::string)>& m_f;
  bool& m_held;
};

/// Suspends in catch blocks, also in nested ones, and checks that the exceptions that are being
/// handled are this frame's own afterwards. `f("raise")` raises.
void one_round(const upcall::function<void(std::string)>& f, const std::string& name,
               thread_watch& watch) {
  const std::string outer_text = "outer " + name;
  const std::string inner_text = "inner " + name;
  bool held_while_unwinding = false;
  try {
    try {
      throw std::runtime_error(outer_text);
    } catch (const std::runtime_error& outer) {
      const std::exception_ptr caught = std::current_exception();
      f("outer");
      watch.look();
      check(std::current_exception() == caught, "another exception in the outer catch block");
      check(std::uncaught_exceptions() == 0, "an exception on its way in a catch block");
      try {
        throw std::out_of_range(inner_text);
      } catch (const std::out_of_range&) {
        f("inner");
        watch.look();
        check(text_of_current_exception() == inner_text, "another exception in the inner block");
        try {
          f("raise");
          check(false, "the function did not raise");
        } catch (const upcall::error& raised) {
          const std::string text = raised.what();
          f("innermost");
          watch.look();
          check(raised.what() == text, "the error changed while it was handled");
          check(text_of_current_exception() == text, "another exception in the innermost block");
        }
        check(text_of_current_exception() == inner_text, "the inner exception is lost");
      }
      check(outer.what() == outer_text, "the outer exception changed");
      check(std::current_exception() == caught, "the outer exception is lost");
      const calls_while_unwinding by_destructor(f, held_while_unwinding);
      throw;
    }
  } catch (const std::runtime_error& again) {
    watch.look();
    check(held_while_unwinding, "the count of uncaught exceptions changed while unwinding");
    check(again.what() == outer_text, "another exception was rethrown");
    f("rethrown");
    watch.look();
  }
  check(std::current_exception() == nullptr, "an exception is left over");
  check(std::uncaught_exceptions() == 0, "an uncaught exception is left over");
}

/// Lets the exception that it was handling while it was suspended leave the NIF.
void rethrow_after_upcall(function<void(std::string)> f, std::string text) {
  try {
    throw std::invalid_argument(text);
  } catch (const std::exception&) {
    f("outer");
    throw;
  }
}

#else

/// Suspends with what it has caught in hand, as a coroutine can't do so in the catch block itself,
/// and handles it on the thread where it goes on. `f("raise")` raises.
body<> one_round(const function<void(std::string)>& f, const std::string& name,
                 thread_watch& watch) {
  const std::string outer_text = "outer " + name;
  const std::string inner_text = "inner " + name;
  std::exception_ptr outer;
  std::exception_ptr inner;
  std::exception_ptr raised;
  std::string text;
  try {
    throw std::runtime_error(outer_text);
  } catch (const std::runtime_error&) {
    outer = std::current_exception();
  }
  co_await f("outer");
  watch.look();
  try {
    std::rethrow_exception(outer);
  } catch (const std::runtime_error&) {
    try {
      throw std::out_of_range(inner_text);
    } catch (const std::out_of_range&) {
      inner = std::current_exception();
    }
    check(text_of_current_exception() == outer_text, "the outer exception is lost");
  }
  co_await f("inner");
  watch.look();
  try {
    co_await f("raise");
    check(false, "the function did not raise");
  } catch (const upcall::error& e) {
    text = e.what();
    raised = std::current_exception();
  }
  check(std::current_exception() == nullptr, "an exception is left over");
  co_await f("innermost");
  watch.look();
  for (const auto& [kept, expected] :
       {std::pair(outer, outer_text), std::pair(inner, inner_text), std::pair(raised, text)}) {
    try {
      std::rethrow_exception(kept);
    } catch (...) {
      check(text_of_current_exception() == expected, "an exception changed while it was kept");
    }
  }
  co_await f("rethrown");
  watch.look();
  check(std::current_exception() == nullptr, "an exception is left over");
  check(std::uncaught_exceptions() == 0, "an uncaught exception is left over");
}

/// Lets the exception that it was keeping while it was suspended leave the NIF.
body<> rethrow_after_upcall(function<void(std::string)> f, std::string text) {
  std::exception_ptr kept;
  try {
    throw std::invalid_argument(text);
  } catch (const std::exception&) {
    kept = std::current_exception();
  }
  co_await f("outer");
  std::rethrow_exception(kept);
}

#endif

UPCALL_NIF(rethrow_after_upcall);

/// Gives how often it went on on another thread.
body<std::int64_t> catch_blocks(function<void(std::string)> f, std::string name,
                                std::int64_t rounds) {
  const counted object;
  thread_watch watch;
  for (std::int64_t i = 0; i < rounds; ++i) {
    UPCALL_AWAIT one_round(f, name + " " + std::to_string(i), watch);
  }
  UPCALL_RETURN watch.moves();
}
UPCALL_NIF(catch_blocks);

// ---- nesting ----

body<std::int64_t> nest(function<std::int64_t()> f) {
  const counted object;
  UPCALL_RETURN UPCALL_AWAIT f() + 1;
}
UPCALL_NIF(nest);

// ---- functions that functions return ----

using function_maker = function<function<std::int64_t(std::int64_t)>(std::int64_t)>;

/// Holds one at a time. Gives the sum of what they return, modulo 1009.
body<std::int64_t> drop_functions(function_maker make, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum = (sum + UPCALL_AWAIT(UPCALL_AWAIT make(i))(i)) % 1009;
  }
  UPCALL_RETURN sum;
}
UPCALL_NIF(drop_functions);

/// Holds all at once, calls them in turn, and then drops every second one and calls the rest.
body<std::pair<std::int64_t, std::int64_t>> keep_functions(function_maker make,
                                                           std::int64_t count) {
  std::vector<function<std::int64_t(std::int64_t)>> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(UPCALL_AWAIT make(i));
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    sum += UPCALL_AWAIT all[i](static_cast<std::int64_t>(i));
  }
  std::size_t place = 0;
  std::erase_if(all, [&](const auto&) { return place++ % 2 == 1; });
  std::int64_t sum_of_rest = 0;
  for (const auto& each : all) sum_of_rest += UPCALL_AWAIT each(1);
  UPCALL_RETURN{sum, sum_of_rest};
}
UPCALL_NIF(keep_functions);

/// Bytes that C++ has allocated in this process.
body<std::uint64_t> native_heap() {
  const auto info = ::mallinfo2();
  UPCALL_RETURN info.uordblks + info.hblkhd;
}
UPCALL_NIF(native_heap);

// ---- views ----

/// Whether views show the same bytes before and after an upcall.
body<bool> views_hold(std::string_view text, std::span<const std::byte> bytes, std::string expected,
                      function<void()> f) {
  const auto right = [&] {
    return text == expected && bytes.size() == expected.size() &&
           std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == expected;
  };
  const bool before = right();
  UPCALL_AWAIT f();
  const bool after = right();
  UPCALL_RETURN(before && after);
}
UPCALL_NIF(views_hold);

// ---- results ----

#if !defined(UPCALL_TEST_COROUTINES)

/// An argument that calls its function when it is destroyed, at the end of the call.
class farewell {
 public:
  explicit farewell(upcall::function<void()> f) noexcept : m_function(std::move(f)) {}
  farewell(farewell&& other) noexcept : m_function(std::exchange(other.m_function, std::nullopt)) {}
  farewell(const farewell&) = delete;
  farewell& operator=(const farewell&) = delete;
  farewell& operator=(farewell&&) = delete;
  ~farewell() {  // NOLINT(bugprone-exception-escape): its function does not raise
    if (m_function) (*m_function)();
  }

 private:
  std::optional<upcall::function<void()>> m_function;
};

}  // namespace

template <>
struct upcall::codec<farewell> {
  static farewell decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return farewell(upcall::decode<upcall::function<void()>>(env, raw));
  }
};

namespace {

std::vector<std::string> result_then_farewell(const farewell&, const farewell&,
                                              std::vector<std::string> values) {
  return values;
}
UPCALL_NIF(result_then_farewell);

std::int64_t failure_then_farewell(const farewell&, std::string text) {
  throw std::runtime_error(text);
}
UPCALL_NIF(failure_then_farewell);

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Frame");
