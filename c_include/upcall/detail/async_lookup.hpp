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
class lookup_awaiter final : public request_awaiter {
 public:
  lookup_awaiter(coroutine_promise& by, const async_lookup<Function>& awaited) noexcept
      : request_awaiter(by), m_wanted(awaited) {}

  bool await_ready() {
    running().check_may_await();
    const auto& [module, function] = m_wanted.name;
    running().set_request(detail::mfa_request(
        running(), "erlang", "make_fun",
        detail::arguments_of_make_fun(running().env(), module, function, m_wanted.arity)));
    return false;
  }
  Function await_resume() {
    const ERL_NIF_TERM found = running().take_awaited();
    return Function(function_root::add(running().env(), found));
  }

 private:
  async_lookup<Function> m_wanted;
};

template <class Function>
struct awaiter_of<async_lookup<Function>> {
  static lookup_awaiter<Function> make(coroutine_promise& by,
                                       const async_lookup<Function>& awaited) noexcept {
    return {by, awaited};
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
