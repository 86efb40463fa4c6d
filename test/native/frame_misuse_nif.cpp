// What users, forgers and codecs may do wrong with a frame.

#include <erl_nif.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <upcall/stl.hpp>
#include <utility>

#include "bodies.hpp"
#include "counted.hpp"

// Of a type that has a codec of ours otherwise.
template <>
struct upcall::codec<long double> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, long double value) {
    if (value == 1) return enif_make_atom(env, "one");
    return enif_make_tuple2(env, enif_make_atom(env, "return"), enif_make_int(env, 2));
  }
};

namespace {

using number_function = function<std::int64_t(std::int64_t)>;

// ---- the frame's reference ----

body<std::int64_t> two_calls(number_function f) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(1);
  UPCALL_RETURN first + 10 * UPCALL_AWAIT f(2);
}
UPCALL_NIF(two_calls);

// The same, whose requests have tokens of other kinds.
template <class T>
body<std::int64_t> two_calls_of(function<std::int64_t(T)> f, T one, T two) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(one);
  UPCALL_RETURN first + 10 * UPCALL_AWAIT f(two);
}
body<std::int64_t> two_calls_of_text(function<std::int64_t(std::string)> f) {
  UPCALL_RETURN UPCALL_AWAIT two_calls_of<std::string>(std::move(f), "1", "2");
}
UPCALL_NIF(two_calls_of_text);
body<std::int64_t> two_calls_of_pairs(function<std::int64_t(std::int64_t, std::string)> f) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(1, "one");
  UPCALL_RETURN first + 10 * UPCALL_AWAIT f(2, "two");
}
UPCALL_NIF(two_calls_of_pairs);
body<std::int64_t> two_calls_of_characters(function<std::int64_t(char)> f) {
  UPCALL_RETURN UPCALL_AWAIT two_calls_of(std::move(f), char{1}, char{2});
}
UPCALL_NIF(two_calls_of_characters);
// An arithmetic type, whose codec is the user's and makes no number of it.
body<std::int64_t> two_calls_of_own(function<std::int64_t(long double)> f) {
  UPCALL_RETURN UPCALL_AWAIT two_calls_of(std::move(f), 1.0L, 2.0L);
}
UPCALL_NIF(two_calls_of_own);
body<std::int64_t> two_calls_of_floats(function<std::int64_t(double)> f) {
  UPCALL_RETURN UPCALL_AWAIT two_calls_of(std::move(f), 1.5, 2.5);
}
UPCALL_NIF(two_calls_of_floats);
body<std::int64_t> two_calls_of_large(number_function f) {
  constexpr auto least_large = std::int64_t{1} << 59;
  UPCALL_RETURN UPCALL_AWAIT two_calls_of(std::move(f), least_large, -least_large - 1);
}
UPCALL_NIF(two_calls_of_large);
body<std::int64_t> two_calls_of_small(number_function f) {
  constexpr auto least_large = std::int64_t{1} << 59;
  UPCALL_RETURN UPCALL_AWAIT two_calls_of(std::move(f), least_large - 1, -least_large);
}
UPCALL_NIF(two_calls_of_small);

body<std::int64_t> swallows_first(number_function f) {
  const counted object;
  try {
    UPCALL_AWAIT f(1);
  } catch (const upcall::error&) {
    UPCALL_RETURN std::int64_t{-1};
  }
  UPCALL_RETURN UPCALL_AWAIT f(2);
}
UPCALL_NIF(swallows_first);

body<std::int64_t> two_functions(number_function f, number_function g) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(1);
  UPCALL_RETURN first + UPCALL_AWAIT g(2);
}
UPCALL_NIF(two_functions);

body<number_function> gives_function_back(number_function f) {
  const counted object;
  UPCALL_AWAIT f(1);
  UPCALL_RETURN f;
}
UPCALL_NIF(gives_function_back);

body<std::int64_t> drops_other(number_function f, std::optional<number_function> g) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(1);
  g.reset();
  UPCALL_RETURN first + UPCALL_AWAIT f(2);
}
UPCALL_NIF(drops_other);

body<upcall::term> takes_another(function<number_function(std::int64_t)> make) {
  const counted object;
  const number_function first = UPCALL_AWAIT make(1);
  const number_function second = UPCALL_AWAIT make(2);
  UPCALL_RETURN first.as_term();
}
UPCALL_NIF(takes_another);

#if !defined(UPCALL_TEST_COROUTINES)

/// Calls its function when it is destroyed, which may fail.
class caller_at_end {
 public:
  explicit caller_at_end(number_function f) noexcept : m_function(std::move(f)) {}
  caller_at_end(caller_at_end&& other) noexcept
      : m_function(std::exchange(other.m_function, std::nullopt)) {}
  caller_at_end(const caller_at_end&) = delete;
  caller_at_end& operator=(const caller_at_end&) = delete;
  caller_at_end& operator=(caller_at_end&&) = delete;
  ~caller_at_end() {
    if (m_function) static_cast<void>(m_function->try_call(1));
  }

 private:
  std::optional<number_function> m_function;
};

std::string call_after_result(const caller_at_end&, std::string text) {
  const counted object;
  return text;
}

#endif

// Runs until it is told to end, on a dirty scheduler.
std::atomic<bool> may_end{false};
std::atomic<bool> runs{false};
body<std::int64_t> runs_for_long(number_function f) {
  const counted object;
  const std::int64_t result = UPCALL_AWAIT f(1);
  runs = true;
  may_end.wait(false);
  UPCALL_RETURN result;
}
UPCALL_NIF(runs_for_long, upcall::dirty_cpu);

body<bool> is_running() { UPCALL_RETURN runs; }
UPCALL_NIF(is_running);
body<> let_end() {
  may_end = true;
  may_end.notify_all();
  UPCALL_RETURN;
}
UPCALL_NIF(let_end);

// ---- borrowed terms ----

body<std::int64_t> uses_term_before(upcall::term value, number_function f) {
  const auto number = value.as<std::int64_t>();
  UPCALL_RETURN UPCALL_AWAIT f(number);
}
UPCALL_NIF(uses_term_before);

body<std::int64_t> uses_term_after(upcall::term value, number_function f) {
  UPCALL_AWAIT f(1);
  UPCALL_RETURN value.as<std::int64_t>();
}
UPCALL_NIF(uses_term_after);

body<upcall::term> returns_term_after(upcall::term value, number_function f) {
  UPCALL_AWAIT f(1);
  UPCALL_RETURN value;
}
UPCALL_NIF(returns_term_after);

body<std::int64_t> passes_term_after(function<std::int64_t(upcall::term)> f, upcall::term value) {
  UPCALL_AWAIT f(value);
  UPCALL_RETURN UPCALL_AWAIT f(value);
}
UPCALL_NIF(passes_term_after);

body<std::int64_t> uses_outcome_after(function<upcall::term(std::int64_t)> f) {
  const upcall::term first = UPCALL_AWAIT f(1);
  UPCALL_AWAIT f(2);
  UPCALL_RETURN first.as<std::int64_t>();
}
UPCALL_NIF(uses_outcome_after);

body<upcall::owned_term> keeps_term(upcall::term value, number_function f) {
  upcall::owned_term kept(value);
  UPCALL_AWAIT f(1);
  UPCALL_RETURN kept;
}
UPCALL_NIF(keeps_term);

/// Whether a term is stale before an upcall that is not made, because its argument has no form in
/// Elixir, and after one that is.
body<std::pair<bool, bool>> stale_after(upcall::term value, function<void(double)> f) {
  try {
    UPCALL_AWAIT f(1.0 / 0.0);
  } catch (const upcall::error&) {
  }
  const bool before = value.is_stale();
  UPCALL_AWAIT f(1.0);
  UPCALL_RETURN{before, value.is_stale()};
}
UPCALL_NIF(stale_after);

// ---- codecs ----

/// What a codec may try: a coroutine has nothing to call a function by that it need not await.
std::int64_t ask(const number_function& f) {
#if defined(UPCALL_TEST_COROUTINES)
  static_cast<void>(f);
  upcall::give_time();
  return 0;
#else
  return f(1);
#endif
}

/// A number that its codec asks the function for.
struct asked_when_decoded {
  std::int64_t value;
};
struct yields_when_decoded {};
#if !defined(UPCALL_TEST_COROUTINES)
struct captures_when_decoded {};
#endif
struct asks_when_encoded {
  number_function f;
};
/// A number whose codec makes a mistake that C NIFs make: it raises and goes on.
struct raises_when_decoded {};
struct raises_when_encoded {
  bool raises = true;
};

}  // namespace

#if !defined(UPCALL_TEST_COROUTINES)
template <>
struct upcall::codec<caller_at_end> {
  static caller_at_end decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return caller_at_end(upcall::decode<number_function>(env, raw));
  }
};
#endif
template <>
struct upcall::codec<asked_when_decoded> {
  static asked_when_decoded decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return {ask(upcall::decode<number_function>(env, raw))};
  }
};
template <>
struct upcall::codec<yields_when_decoded> {
  static yields_when_decoded decode(ErlNifEnv*, ERL_NIF_TERM) {
    upcall::give_time();
    return {};
  }
};
#if !defined(UPCALL_TEST_COROUTINES)
template <>
struct upcall::codec<captures_when_decoded> {
  static captures_when_decoded decode(ErlNifEnv*, ERL_NIF_TERM) {
    const function<std::string(std::string)> upcase{upcall::mfa{"Elixir.String", "upcase"}};
    return {};
  }
};
#endif
template <>
struct upcall::codec<asks_when_encoded> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const asks_when_encoded& value) {
    return upcall::encode(env, ask(value.f));
  }
};
template <>
struct upcall::codec<raises_when_decoded> {
  static raises_when_decoded decode(ErlNifEnv* env, ERL_NIF_TERM) {
    enif_make_badarg(env);
    return {};
  }
};
template <>
struct upcall::codec<raises_when_encoded> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const raises_when_encoded& value) {
    return value.raises ? enif_raise_exception(env, enif_make_int(env, 7)) : enif_make_int(env, 0);
  }
};

namespace {

#if !defined(UPCALL_TEST_COROUTINES)
UPCALL_NIF(call_after_result);
#endif

body<std::int64_t> argument_asks(asked_when_decoded value) { UPCALL_RETURN value.value; }
UPCALL_NIF(argument_asks);
body<> argument_yields(yields_when_decoded) { UPCALL_RETURN; }
UPCALL_NIF(argument_yields);
#if !defined(UPCALL_TEST_COROUTINES)
void argument_captures(captures_when_decoded) {}
UPCALL_NIF(argument_captures);
#endif

body<std::int64_t> outcome_asks(function<asked_when_decoded()> f) {
  UPCALL_RETURN(UPCALL_AWAIT f()).value;
}
UPCALL_NIF(outcome_asks);

body<std::int64_t> sent_value_asks(function<std::int64_t(asks_when_encoded)> f,
                                   number_function asked_one) {
  // Named, as GCC 12 destroys an aggregate twice that is made in a co_await expression.
  const asks_when_encoded sent{asked_one};
  UPCALL_RETURN UPCALL_AWAIT f(sent);
}
UPCALL_NIF(sent_value_asks);

/// The frame is as good as before when the error was caught.
body<std::int64_t> asks_again(function<std::int64_t(asks_when_encoded)> f,
                              number_function asked_one) {
  const asks_when_encoded sent{asked_one};
  const std::int64_t wrong = (UPCALL_AWAIT f.try_call(sent)).value_or(-1);
  UPCALL_RETURN wrong + UPCALL_AWAIT asked_one(100);
}
UPCALL_NIF(asks_again);

body<asks_when_encoded> result_asks(number_function f) { UPCALL_RETURN{f}; }
UPCALL_NIF(result_asks);

body<std::int64_t> raised_by_argument(raises_when_decoded, number_function f) {
  const counted object;
  UPCALL_RETURN UPCALL_AWAIT f(1);
}
UPCALL_NIF(raised_by_argument);

body<std::int64_t> raised_by_sent_value(function<std::int64_t(raises_when_encoded)> f) {
  const counted object;
  UPCALL_RETURN UPCALL_AWAIT f({});
}
UPCALL_NIF(raised_by_sent_value);

body<std::int64_t> raised_later(number_function f, function<std::int64_t(raises_when_encoded)> g) {
  const counted object;
  for (std::int64_t i = 0; i < 10; ++i) UPCALL_AWAIT f(i);
  try {
    UPCALL_AWAIT g({});
  } catch (const upcall::error&) {
  }
  UPCALL_RETURN UPCALL_AWAIT f(10);
}
UPCALL_NIF(raised_later);

// By the same function, so that nothing else is due with the request.
body<std::int64_t> raised_at_second_call(function<std::int64_t(raises_when_encoded)> f) {
  const counted object;
  for (const bool raises : std::array{false, false, true}) {
    try {
      UPCALL_AWAIT f(raises_when_encoded{raises});
    } catch (const upcall::error&) {
    }
  }
  UPCALL_RETURN std::int64_t{1};
}
UPCALL_NIF(raised_at_second_call);

body<raises_when_encoded> raised_by_result(number_function f) {
  UPCALL_AWAIT f(1);
  UPCALL_RETURN{};
}
UPCALL_NIF(raised_by_result);

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.FrameMisuse");
