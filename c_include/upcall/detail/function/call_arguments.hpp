#pragma once

#include <erl_nif.h>

#include <array>
#include <concepts>
#include <string>
#include <tuple>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../../executor.hpp"
#include "../../kept_function.hpp"
#include "../executor/sending_env.hpp"
#include "../frame/frame.hpp"
#include "../term/parts.hpp"
#include "../term/term_text.hpp"

// What a call of an executor is made of: who is asked, the function and its arguments.

namespace upcall UPCALL_HIDDEN {
namespace detail {

[[noreturn]] UPCALL_COLD inline void throw_bad_argument(const char* which, const char* expected,
                                                        ERL_NIF_TERM got) {
  raise("Elixir.ArgumentError", std::string("upcall::apply: ") + which + ": expected " + expected +
                                    ", got: " + printed(got));
}

inline executor executor_argument(const sending_env&, const executor& named) { return named; }
executor executor_argument(const sending_env& to, ERL_NIF_TERM raw);
inline executor executor_argument(const sending_env& to, const term& borrowed) {
  return detail::executor_argument(to, borrowed.raw());
}

// No term (0) is what `enif_make_badarg` gives, and the VM does not survive looking at it.
inline void check_function(ErlNifEnv* env, ERL_NIF_TERM raw) {
  if (raw == 0 || !enif_is_fun(env, raw)) throw_bad_argument("fun", "a function", raw);
}
inline ERL_NIF_TERM function_argument(const sending_env& to, ERL_NIF_TERM raw) {
  detail::check_function(to.get(), raw);
  return to.take(raw);
}
inline ERL_NIF_TERM function_argument(const sending_env& to, const owned_term& kept) {
  detail::check_function(kept.env(), kept.raw());
  return kept.copy_to(to.get());
}
inline ERL_NIF_TERM function_argument(const sending_env& to, const term& borrowed) {
  return detail::function_argument(to, borrowed.raw());
}
template <class Signature>
ERL_NIF_TERM function_argument(const sending_env& to, const kept_function<Signature>& kept) {
  return kept.as_owned_term().copy_to(to.get());
}
// A function of the running call.
template <class Function>
requires requires(const Function& f) {
  { f.as_term() } -> std::same_as<term>;
}
ERL_NIF_TERM function_argument(const sending_env& to, const Function& f) {
  return to.take(f.as_term().raw());
}

template <class... Args>
ERL_NIF_TERM encode_argument_list(ErlNifEnv* env, const Args&... args) {
  const encoding_scope scope;
  const std::array<ERL_NIF_TERM, sizeof...(Args)> raw = detail::encode_arguments(env, args...);
  return enif_make_list_from_array(env, raw.data(), static_cast<unsigned>(raw.size()));
}

void check_proper_list(ErlNifEnv* env, ERL_NIF_TERM raw);
inline ERL_NIF_TERM list_argument(const sending_env& to, ERL_NIF_TERM raw) {
  detail::check_proper_list(to.get(), raw);
  return to.take(raw);
}
inline ERL_NIF_TERM list_argument(const sending_env& to, const owned_term& kept) {
  detail::check_proper_list(kept.env(), kept.raw());
  return kept.copy_to(to.get());
}
inline ERL_NIF_TERM list_argument(const sending_env& to, const term& borrowed) {
  return detail::list_argument(to, borrowed.raw());
}
template <class... Args>
ERL_NIF_TERM list_argument(const sending_env& to, const std::tuple<Args...>& args) {
  return std::apply(
      [&to](const auto&... each) { return detail::encode_argument_list(to.get(), each...); }, args);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "call_arguments.ipp"  // IWYU pragma: export
#endif
