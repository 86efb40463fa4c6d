#pragma once

#include <erl_nif.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <type_traits>

#include "../../error.hpp"
#include "../../executor.hpp"
#include "../../result.hpp"
#include "../frame/frame.hpp"
#include "../term/parts.hpp"
#include "dispatch.hpp"
#include "executor_failure.hpp"
#include "slot.hpp"
#include "waiting.hpp"

// One call of an executor, from when it is sent to its result.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Makes the value of an answer. An `owned_term` shares the answer's environment, all others are
/// decoded out of it: nothing is copied twice. Throws: `error`.
template <class R>
R value_of_reply(const reply& given, const executor& asked) {
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
      return detail::decode_returned<R>(given.reading_env(), given.content);
    } catch (const bad_term& failure) {
      detail::throw_bad_answer(asked, failure);
    }
  }
}

/// Gives what came of a call that is decided.
template <class R>
result<R> result_of_reply(const reply& given, const executor& asked,
                          std::chrono::nanoseconds timeout) {
  if (given.kind != reply_kind::returned) return detail::error_of_reply(given, asked, timeout);
  return detail::result_of<R>([&] { return detail::value_of_reply<R>(given, asked); });
}

inline std::shared_ptr<slot> make_call(const sending_env& message, hearing heard) {
  return std::make_shared<slot>(message.caller(), heard);
}

/// Drops a call whose caller does not come back from waiting for it.
struct drop_on_exit {
  slot& call;
  ~drop_on_exit() { call.drop(); }
};

/// Sends a call and waits for it. The `waiting_place` says that the thread may.
template <class R>
result<R> run_on(ErlNifEnv* env, const waiting_place& place, sending_env& message,
                 const executor& asked, const job& work, std::chrono::nanoseconds timeout) {
  if (!place.is_free()) return detail::error_of_reply({reply_kind::overloaded}, asked, timeout);
  const clock::time_point deadline = deadline_after(timeout);
  const std::shared_ptr<slot> call = detail::make_call(message, hearing::yes);
  detail::dispatch(message, asked, call, work);
  const drop_on_exit late{*call};
  detail::wait_for(env, call, deadline);
  return detail::result_of_reply<R>(call->take_or_drop(), asked, timeout);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
