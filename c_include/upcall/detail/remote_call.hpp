#pragma once

#include <erl_nif.h>

#include <array>
#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>

#include "../codec.hpp"
#include "../error.hpp"
#include "../executor.hpp"
#include "../function.hpp"
#include "../result.hpp"
#include "call.hpp"
#include "dispatch.hpp"
#include "executor_failure.hpp"
#include "waiting.hpp"

// One call of an executor, from its arguments to its result.

namespace upcall UPCALL_HIDDEN {
namespace detail {

[[noreturn]] UPCALL_COLD inline void throw_bad_argument(const char* which, const char* expected,
                                                        ERL_NIF_TERM got) {
  raise("Elixir.ArgumentError", std::string("upcall::apply: ") + which + ": expected " + expected +
                                    ", got: " + printed(got));
}

/// Says while arguments are encoded that a codec runs, where that is in a frame.
class encoding_scope {
 public:
  encoding_scope() {
    if (frame* const running = current_frame()) m_scope.emplace(*running);
  }

 private:
  std::optional<frame::codec_scope> m_scope;
};

inline executor executor_argument(const sending_env&, const executor& named) { return named; }
inline executor executor_argument(const sending_env& to, ERL_NIF_TERM raw) {
  try {
    return executor::decode(to.get(), raw);
  } catch (const bad_term& failure) {
    throw_bad_argument("pid_or_name", failure.what(), raw);
  }
}
inline executor executor_argument(const sending_env& to, const term& borrowed) {
  return executor_argument(to, borrowed.raw());
}

inline void check_function(ErlNifEnv* env, ERL_NIF_TERM raw) {
  if (!enif_is_fun(env, raw)) throw_bad_argument("fun", "a function", raw);
}
inline ERL_NIF_TERM function_argument(const sending_env& to, ERL_NIF_TERM raw) {
  check_function(to.get(), raw);
  return to.take(raw);
}
inline ERL_NIF_TERM function_argument(const sending_env& to, const owned_term& kept) {
  check_function(kept.env(), kept.raw());
  return kept.copy_to(to.get());
}
inline ERL_NIF_TERM function_argument(const sending_env& to, const term& borrowed) {
  return function_argument(to, borrowed.raw());
}
template <class Signature>
ERL_NIF_TERM function_argument(const sending_env& to, const kept_function<Signature>& kept) {
  return kept.as_owned_term().copy_to(to.get());
}
template <class Signature>
ERL_NIF_TERM function_argument(const sending_env& to, const function<Signature>& f) {
  return to.take(f.as_term().raw());
}

template <class... Args>
ERL_NIF_TERM encode_arguments(ErlNifEnv* env, const Args&... args) {
  const encoding_scope scope;
  const std::array<ERL_NIF_TERM, sizeof...(Args)> raw{encode(env, args)...};
  return enif_make_list_from_array(env, raw.data(), static_cast<unsigned>(raw.size()));
}

inline void check_proper_list(ErlNifEnv* env, ERL_NIF_TERM raw) {
  unsigned length = 0;
  if (!enif_get_list_length(env, raw, &length)) throw_bad_argument("params", "a proper list", raw);
}
inline ERL_NIF_TERM list_argument(const sending_env& to, ERL_NIF_TERM raw) {
  check_proper_list(to.get(), raw);
  return to.take(raw);
}
inline ERL_NIF_TERM list_argument(const sending_env& to, const owned_term& kept) {
  check_proper_list(kept.env(), kept.raw());
  return kept.copy_to(to.get());
}
inline ERL_NIF_TERM list_argument(const sending_env& to, const term& borrowed) {
  return list_argument(to, borrowed.raw());
}
template <class... Args>
ERL_NIF_TERM list_argument(const sending_env& to, const std::tuple<Args...>& args) {
  return std::apply([&to](const auto&... each) { return encode_arguments(to.get(), each...); },
                    args);
}

/// Makes the value of an answer. An `owned_term` shares the answer's environment, all others are
/// decoded out of it: nothing is copied twice. Throws: `error`.
template <class R>
R value_of_reply(const reply& given) {
  if constexpr (std::is_void_v<R>) {
    return;
  } else if constexpr (std::same_as<R, owned_term>) {
    return owned_term(given.env, given.content);
  } else {
    static_assert(!std::same_as<R, term>,
                  "a term that another process returned has no heap to be borrowed from; take an "
                  "upcall::owned_term");
    try {
      const encoding_scope scope;
      return decode<R>(given.env->get(), given.content);
    } catch (const bad_term& failure) {
      raise("Elixir.ArgumentError", failure.where() + "expected " + failure.expected() +
                                        " from the function, got: " + printed(failure.got().raw()));
    }
  }
}

/// Gives what came of a call that is decided.
template <class R>
result<R> result_of_reply(const reply& given, const executor& asked,
                          std::chrono::nanoseconds timeout) {
  if (given.kind != reply_kind::returned) return error_of_reply(given, asked, timeout);
  try {
    if constexpr (std::is_void_v<R>) {
      return std::monostate{};
    } else {
      return value_of_reply<R>(given);
    }
  } catch (const error& failure) {
    return failure;
  }
}

inline shared_ref<slot> make_call(const sending_env& message, hearing heard) noexcept {
  return shared_ref<slot>::make(plain_objects, message.caller(), heard);
}

/// Drops a call whose caller does not come back from waiting for it.
struct drop_on_exit {
  slot& call;
  ~drop_on_exit() { call.drop(); }
};

/// Sends a call and waits for it. The `waiting_place` says that the thread may.
template <class R>
result<R> run_on(ErlNifEnv* env, const waiting_place& place, const sending_env& message,
                 const executor& asked, const job& work, std::chrono::nanoseconds timeout) {
  if (!place.is_free()) return error_of_reply({reply_kind::overloaded}, asked, timeout);
  const clock::time_point deadline = deadline_after(timeout);
  const shared_ref<slot> call = make_call(message, hearing::yes);
  dispatch(message, asked, *call, work);
  const drop_on_exit late{*call};
  wait_for(env, call, deadline);
  return result_of_reply<R>(call->take_or_drop(), asked, timeout);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
