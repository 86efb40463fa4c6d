// What users, forgers and codecs may do wrong with a frame.

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>

#include "counted.hpp"

namespace {

using number_function = upcall::function<std::int64_t(std::int64_t)>;

// ---- the frame's reference ----

std::int64_t two_calls(number_function f) {
  const counted object;
  const std::int64_t first = f(1);
  return first + 10 * f(2);
}
UPCALL_NIF(two_calls);

std::int64_t swallows_first(number_function f) {
  const counted object;
  try {
    f(1);
  } catch (const upcall::error&) {
    return -1;
  }
  return f(2);
}
UPCALL_NIF(swallows_first);

std::int64_t two_functions(number_function f, number_function g) {
  const counted object;
  const std::int64_t first = f(1);
  return first + g(2);
}
UPCALL_NIF(two_functions);

number_function gives_function_back(number_function f) {
  const counted object;
  f(1);
  return f;
}
UPCALL_NIF(gives_function_back);

std::int64_t drops_other(number_function f, std::optional<number_function> g) {
  const counted object;
  const std::int64_t first = f(1);
  g.reset();
  return first + f(2);
}
UPCALL_NIF(drops_other);

upcall::term takes_another(upcall::function<number_function(std::int64_t)> make) {
  const counted object;
  const number_function first = make(1);
  const number_function second = make(2);
  return first.as_term();
}
UPCALL_NIF(takes_another);

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

// Runs until it is told to end, on a dirty scheduler.
std::atomic<bool> may_end{false};
std::atomic<bool> runs{false};
std::int64_t runs_for_long(number_function f) {
  const counted object;
  const std::int64_t result = f(1);
  runs = true;
  may_end.wait(false);
  return result;
}
UPCALL_NIF(runs_for_long, upcall::dirty_cpu);

bool is_running() { return runs; }
UPCALL_NIF(is_running);
void let_end() {
  may_end = true;
  may_end.notify_all();
}
UPCALL_NIF(let_end);

// ---- borrowed terms ----

std::int64_t uses_term_before(upcall::term value, number_function f) {
  const auto number = value.as<std::int64_t>();
  return f(number);
}
UPCALL_NIF(uses_term_before);

std::int64_t uses_term_after(upcall::term value, number_function f) {
  f(1);
  return value.as<std::int64_t>();
}
UPCALL_NIF(uses_term_after);

upcall::term returns_term_after(upcall::term value, number_function f) {
  f(1);
  return value;
}
UPCALL_NIF(returns_term_after);

std::int64_t passes_term_after(upcall::function<std::int64_t(upcall::term)> f, upcall::term value) {
  f(value);
  return f(value);
}
UPCALL_NIF(passes_term_after);

std::int64_t uses_outcome_after(upcall::function<upcall::term(std::int64_t)> f) {
  const upcall::term first = f(1);
  f(2);
  return first.as<std::int64_t>();
}
UPCALL_NIF(uses_outcome_after);

upcall::owned_term keeps_term(upcall::term value, number_function f) {
  upcall::owned_term kept(value);
  f(1);
  return kept;
}
UPCALL_NIF(keeps_term);

/// Whether a term is stale before an upcall that is not made, because its argument has no form in
/// Elixir, and after one that is.
std::pair<bool, bool> stale_after(upcall::term value, upcall::function<void(double)> f) {
  try {
    f(1.0 / 0.0);
  } catch (const std::domain_error&) {
  }
  const bool before = value.is_stale();
  f(1.0);
  return {before, value.is_stale()};
}
UPCALL_NIF(stale_after);

// ---- codecs ----

/// A number that its codec asks the function for.
struct asked_when_decoded {
  std::int64_t value;
};
struct yields_when_decoded {};
struct captures_when_decoded {};
struct asks_when_encoded {
  number_function f;
};
/// A number whose codec makes a mistake that C NIFs make: it raises and goes on.
struct raises_when_decoded {};
struct raises_when_encoded {};

}  // namespace

template <>
struct upcall::codec<caller_at_end> {
  static caller_at_end decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return caller_at_end(upcall::decode<number_function>(env, raw));
  }
};
template <>
struct upcall::codec<asked_when_decoded> {
  static asked_when_decoded decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return {upcall::decode<number_function>(env, raw)(1)};
  }
};
template <>
struct upcall::codec<yields_when_decoded> {
  static yields_when_decoded decode(ErlNifEnv*, ERL_NIF_TERM) {
    upcall::yield();
    return {};
  }
};
template <>
struct upcall::codec<captures_when_decoded> {
  static captures_when_decoded decode(ErlNifEnv*, ERL_NIF_TERM) {
    const upcall::function<std::string(std::string)> upcase{upcall::mfa{"Elixir.String", "upcase"}};
    return {};
  }
};
template <>
struct upcall::codec<asks_when_encoded> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const asks_when_encoded& value) {
    return upcall::encode(env, value.f(1));
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
  static ERL_NIF_TERM encode(ErlNifEnv* env, const raises_when_encoded&) {
    return enif_raise_exception(env, enif_make_int(env, 7));
  }
};

namespace {

UPCALL_NIF(call_after_result);

std::int64_t argument_asks(asked_when_decoded value) { return value.value; }
UPCALL_NIF(argument_asks);
void argument_yields(yields_when_decoded) {}
UPCALL_NIF(argument_yields);
void argument_captures(captures_when_decoded) {}
UPCALL_NIF(argument_captures);

std::int64_t outcome_asks(upcall::function<asked_when_decoded()> f) { return f().value; }
UPCALL_NIF(outcome_asks);

std::int64_t sent_value_asks(upcall::function<std::int64_t(asks_when_encoded)> f,
                             number_function asked_one) {
  return f(asks_when_encoded{asked_one});
}
UPCALL_NIF(sent_value_asks);

/// The frame is as good as before when the error was caught.
std::int64_t asks_again(upcall::function<std::int64_t(asks_when_encoded)> f,
                        number_function asked_one) {
  const std::int64_t wrong = f.try_call(asks_when_encoded{asked_one}).value_or(-1);
  return wrong + asked_one(100);
}
UPCALL_NIF(asks_again);

asks_when_encoded result_asks(number_function f) { return {f}; }
UPCALL_NIF(result_asks);

std::int64_t raised_by_argument(raises_when_decoded, number_function f) {
  const counted object;
  return f(1);
}
UPCALL_NIF(raised_by_argument);

std::int64_t raised_by_sent_value(upcall::function<std::int64_t(raises_when_encoded)> f) {
  const counted object;
  return f({});
}
UPCALL_NIF(raised_by_sent_value);

std::int64_t raised_later(number_function f,
                          upcall::function<std::int64_t(raises_when_encoded)> g) {
  const counted object;
  for (std::int64_t i = 0; i < 10; ++i) f(i);
  try {
    g({});
  } catch (const upcall::error&) {
  }
  return f(10);
}
UPCALL_NIF(raised_later);

raises_when_encoded raised_by_result(number_function f) {
  f(1);
  return {};
}
UPCALL_NIF(raised_by_result);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.FrameMisuse");
