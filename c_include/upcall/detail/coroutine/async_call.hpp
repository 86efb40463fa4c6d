#pragma once

#include <erl_nif.h>

#include <coroutine>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../../codec.hpp"
#include "../../kept_function.hpp"
#include "../../result.hpp"
#include "../base/config.hpp"
#include "../base/never.hpp"
#include "../function/call.hpp"
#include "../function/function_root.hpp"
#include "../term/parts.hpp"
#include "coroutine_frame.hpp"
#include "request_awaiter.hpp"
#include "task_promise.hpp"

// A call of a function of Elixir's that a coroutine awaits.

namespace upcall UPCALL_HIDDEN {

template <class R>
class task;

namespace detail {

/// A call that has not been made: a function, as its root or a reference to it, and its arguments.
template <class R, class Root, class... Args>
struct [[nodiscard("nothing is called before it is awaited: co_await it")]] async_call {
  Root root;
  std::tuple<Args...> arguments;

  // Where the value is meant, the compiler says what is missing.
  operator R() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_void_v<R>) {
    static_assert(never<R>,
                  "nothing is called before it is awaited: co_await f(x) gives what f returns");
  }
  operator task<R>() const {  // NOLINT(google-explicit-constructor)
    static_assert(never<R>, "a call is no task: in a coroutine, write co_return co_await f(x)");
  }
};

/// A call that has not been made, whose outcome is a `result`: an error is a part of it.
template <class R, class Root, class... Args>
struct [[nodiscard("nothing is called before it is awaited: co_await it")]] async_try_call {
  async_call<R, Root, Args...> call;

  operator result<R>() const {  // NOLINT(google-explicit-constructor)
    static_assert(
        never<R>,
        "nothing is called before it is awaited: co_await f.try_call(x) gives the result");
  }
  explicit operator bool() const {
    static_assert(
        never<R>,
        "nothing is called before it is awaited: co_await f.try_call(x) gives the result");
    return false;
  }
};

/// Where what a function returned waits until the coroutine goes on.
template <class R>
class returned_value : public outcome_taker {
 public:
  void take(frame& running, ERL_NIF_TERM returned) override {
    const codec_scope_of<R> scope(running);
    m_value.emplace(detail::decode_returned<R>(running.env(), returned));
  }

 protected:
  returned_value() = default;
  ~returned_value() = default;
  outcome_taker* taker() noexcept { return this; }
  /// Gives what was taken. `check_outcome` throws where nothing was.
  template <class CheckOutcome>
  R value_or_throw(const CheckOutcome& check_outcome) {
    if (!m_value) [[unlikely]] {
      check_outcome();
      // The trampoline has raised for what it is not; it never answers.
      throw_unexpected("an exception, in the place of an unexpected value");
    }
    return *std::move(m_value);
  }

 private:
  std::optional<R> m_value;
};

template <>
class returned_value<void> {
 protected:
  returned_value() = default;
  ~returned_value() = default;
  static outcome_taker* taker() noexcept { return nullptr; }
  template <class CheckOutcome>
  static void value_or_throw(const CheckOutcome& check_outcome) {
    check_outcome();
  }
};

/// Makes the call, and gives what it returned.
template <class R, class Root, class... Args>
class call_awaiter final : private returned_value<R> {
 public:
  /// `awaited` lives as long as the expression that awaits it.
  call_awaiter(coroutine_promise& by, const async_call<R, Root, Args...>& awaited) noexcept
      : m_caller(by), m_call(awaited) {}

  // In the coroutine's own code, as few calls as possible: they are most of what a callback costs.
  UPCALL_ALWAYS_INLINE bool await_ready() {
    coroutine_frame& frame = *m_caller.running;
    m_call.root.check_owner(frame);
    frame.check_may_await();
    frame.select(m_call.root.index());
    frame.set_request(
        std::apply([&](const auto&... each) { return detail::make_request(frame, each...); },
                   m_call.arguments));
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {
    m_caller.running->wait_in(m_caller, this->taker());
  }
  R await_resume() {
    return this->value_or_throw([this] { m_caller.running->take_awaited(); });
  }

 private:
  coroutine_promise& m_caller;
  const async_call<R, Root, Args...>& m_call;
};

/// Makes the call, and gives what came of it.
template <class R, class Root, class... Args>
class try_call_awaiter {
 public:
  try_call_awaiter(coroutine_promise& caller,
                   const async_try_call<R, Root, Args...>& awaited) noexcept
      : m_call(caller, awaited.call) {}

  bool await_ready() {
    try {
      return m_call.await_ready();
    } catch (const error& failure) {
      m_failure = failure;
      return true;
    }
  }
  void await_suspend(std::coroutine_handle<> caller) noexcept { m_call.await_suspend(caller); }
  result<R> await_resume() {
    if (m_failure) return *std::move(m_failure);
    return detail::result_of<R>([this] { return m_call.await_resume(); });
  }

 private:
  call_awaiter<R, Root, Args...> m_call;
  std::optional<error> m_failure;
};

template <class R, class Root, class... Args>
struct awaiter_of<async_call<R, Root, Args...>> {
  static call_awaiter<R, Root, Args...> make(coroutine_promise& by,
                                             async_call<R, Root, Args...>&& awaited) noexcept {
    return {by, awaited};
  }
};
template <class R, class Root, class... Args>
struct awaiter_of<async_try_call<R, Root, Args...>> {
  static try_call_awaiter<R, Root, Args...> make(
      coroutine_promise& by, async_try_call<R, Root, Args...>&& awaited) noexcept {
    return {by, awaited};
  }
};

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
