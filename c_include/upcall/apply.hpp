#pragma once

#include <erl_nif.h>

#include <chrono>

#include "detail/executor/remote_call.hpp"
#include "detail/executor/waiting.hpp"
#include "detail/function/call_arguments.hpp"
#include "detail/term/exception_replies.hpp"
#include "executor.hpp"
#include "result.hpp"

namespace upcall UPCALL_HIDDEN {

/// Runs `fun` in an executor and waits for what comes of it:
///
///     upcall::result r = upcall::apply(env, pid_or_name, fun, params, 200ms);
///     return r.to_term(env);
///
/// `pid_or_name` is an `ERL_NIF_TERM`, a `term` or an `upcall::executor`. `fun` is an
/// `ERL_NIF_TERM`, a `term`, an `owned_term`, a `function` or a `kept_function`. `params` is a
/// proper list, as an `ERL_NIF_TERM`, a `term` or an `owned_term`, or a `std::tuple` of what has a
/// codec. `env` is that of a hand-written NIF, and null elsewhere. A call that has not begun when
/// `timeout` is over never will.
///
/// Threads: those of native code and dirty IO schedulers, which it blocks; on a fiber it suspends,
/// and you may be on another thread afterwards. In a coroutine it throws: `co_await
/// f.on(executor).submit(…)`.
/// Throws: `error` on normal and dirty CPU schedulers, and for a wrong argument (an `ArgumentError`
/// that names it); `abandoned` when the process of the NIF was killed meanwhile. In a hand-written
/// NIF, wrap it in `upcall::catching`.
template <class Executor, class Function, class Parameters>
result<> apply(ErlNifEnv* env, const Executor& pid_or_name, const Function& fun,
               const Parameters& params, std::chrono::nanoseconds timeout = default_timeout) {
  const detail::waiting_place place;
  detail::sending_env message(env);
  const executor asked = detail::executor_argument(message, pid_or_name);
  const detail::job work{detail::function_argument(message, fun),
                         detail::list_argument(message, params)};
  return detail::run_on<owned_term>(env, place, message, asked, work, timeout);
}

/// Runs `body()` in a hand-written NIF and gives the term that it gives. What it throws becomes an
/// exception in Elixir, by the same rules as for `UPCALL_NIF`; an exit or a throw of a function
/// becomes an `ErlangError` of `{:exit, reason}` or `{:nocatch, value}`.
/// Threads: the NIF's.
template <class Body>
ERL_NIF_TERM catching(ErlNifEnv* env, const Body& body) noexcept {
  try {
    return body();
  } catch (...) {
    return detail::raise_current_exception(env);
  }
}

}  // namespace UPCALL_HIDDEN
