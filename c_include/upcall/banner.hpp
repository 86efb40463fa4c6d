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

inline ERL_NIF_TERM banner_request(frame& running, const error& failure) {
  const ERL_NIF_TERM arguments = detail::banner_arguments(running.env(), failure);
  return detail::mfa_request(running, "Elixir.Upcall.Error", "banner", arguments);
}

inline std::string banner_of_pinned(pinned_call& call, const error& failure) {
  pinned_request request;
  ErlNifEnv* const env = request.env->get();
  if (const auto index = failure.content().index_here()) {
    request.what = enif_make_tuple2(env, atoms::banner.raw(), enif_make_uint(env, *index));
  } else {
    request.what =
        enif_make_tuple4(env, atoms::mfa.raw(), detail::make_atom(env, "Elixir.Upcall.Error"),
                         atoms::banner.raw(), detail::banner_arguments(env, failure));
  }
  return upcall::decode<std::string>(request.env->get(), call.ask_for_value(request));
}

/// Asks for the text in a coroutine.
class banner_awaiter final : public request_awaiter {
 public:
  banner_awaiter(coroutine_promise& by, const error& failure) noexcept
      : request_awaiter(by), m_failure(failure) {}

  bool await_ready() {
    running().check_may_await();
    running().set_request(detail::banner_request(running(), m_failure));
    return false;
  }
  std::string await_resume() {
    const ERL_NIF_TERM text = running().take_awaited();
    return upcall::decode<std::string>(running().env(), text);
  }

 private:
  error m_failure;
};

template <>
struct awaiter_of<async_banner_of> {
  static banner_awaiter make(coroutine_promise& by, const async_banner_of& awaited) noexcept {
    return {by, awaited.failure};
  }
};

}  // namespace detail

inline std::string error::banner() const {
  if (detail::current_frame() == nullptr && detail::current_pinned_call() != nullptr)
    return detail::banner_of_pinned(*detail::current_pinned_call(), *this);
  detail::frame& running = detail::frame_for_upcall();
  const ERL_NIF_TERM text = running.suspend(detail::banner_request(running, *this));
  return upcall::decode<std::string>(running.env(), text);
}

}  // namespace UPCALL_HIDDEN
