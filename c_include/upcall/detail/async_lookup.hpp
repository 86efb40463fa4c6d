#pragma once

#include <erl_nif.h>

#include "../kept_function.hpp"
#include "call.hpp"
#include "function_root.hpp"
#include "never.hpp"
#include "request_awaiter.hpp"
#include "task_promise.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A function that has not been looked up.
template <class Function>
struct [[nodiscard("nothing is looked up before it is awaited: co_await it")]] async_lookup {
  mfa name;
  int arity;

  operator Function() const {  // NOLINT(google-explicit-constructor)
    static_assert(never<Function>, "nothing is looked up before it is awaited: co_await it");
  }
};

/// Looks a function up by its name.
template <class Function>
struct lookup_operation {
  async_lookup<Function> wanted;

  bool begin(frame& running) const {
    running.check_may_await();
    const ERL_NIF_TERM arguments = detail::arguments_of_make_fun(
        running.env(), wanted.name.module, wanted.name.function, wanted.arity);
    running.set_request(detail::mfa_request(running, "erlang", "make_fun", arguments));
    return true;
  }
  static Function end(frame& running, ERL_NIF_TERM found) {
    return Function(function_root::add(running.env(), found));
  }
};

template <class Function>
struct awaiter_of<async_lookup<Function>> {
  static auto make(coroutine_promise& by, const async_lookup<Function>& awaited) {
    return operation_awaiter<lookup_operation<Function>>(by, awaited);
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
