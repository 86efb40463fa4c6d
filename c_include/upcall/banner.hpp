#pragma once

#include <erl_nif.h>

#include <optional>
#include <string>

#include "codec.hpp"
#include "detail/call.hpp"
#include "detail/exception_replies.hpp"
#include "detail/outcome.hpp"
#include "detail/request_awaiter.hpp"
#include "detail/task_promise.hpp"
#include "error.hpp"

// The text of an error that Elixir itself makes of it.

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// Makes the arguments of `Upcall.Error.banner/1`.
inline ERL_NIF_TERM banner_arguments(ErlNifEnv* env, const error& failure) {
  error_terms terms = failure.content().in(env);
  const bool is_of_executor = failure.kind() > error_kind::threw;
  if (is_of_executor || failure.native_module() != nullptr) terms.reason = failure.exception(env);
  return enif_make_list1(env, detail::make_outcome(env, failure.kind(), terms));
}

/// Asks for the text in a coroutine.
struct banner_operation {
  error failure;

  bool begin(frame& running) const {
    running.check_may_await();
    const ERL_NIF_TERM arguments = detail::banner_arguments(running.env(), failure);
    running.set_request(detail::mfa_request(running, "Elixir.Upcall.Error", "banner", arguments));
    return true;
  }
  static std::string end(frame& running, ERL_NIF_TERM text) {
    return upcall::decode<std::string>(running.env(), text);
  }
};

template <>
struct awaiter_of<async_banner_of> {
  static auto make(coroutine_promise& by, const async_banner_of& awaited) {
    return operation_awaiter<banner_operation>(by, awaited.failure);
  }
};

}  // namespace detail

inline std::string error::banner() const {
  if (const std::optional<owned_term> text = m_content->banner_here())
    return upcall::decode<std::string>(text->env(), text->raw());
  const detail::named_answer answer = detail::running_call().call_named(
      "Elixir.Upcall.Error", "banner",
      [this](ErlNifEnv* env) { return detail::banner_arguments(env, *this); });
  return upcall::decode<std::string>(answer.env, answer.value);
}

}  // namespace UPCALL_HIDDEN
