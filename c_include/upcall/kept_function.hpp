#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "codec.hpp"
#include "detail/function/function_root.hpp"
#include "detail/nif/parameters.hpp"
#include "error.hpp"
#include "executor.hpp"
#include "result.hpp"

namespace upcall UPCALL_HIDDEN {

/// Names a function that nobody passed in: `upcall::mfa{"Elixir.String", "upcase"}`. The arity is
/// that of the `upcall::function` or `async_function` made of it.
struct mfa {
  const char* module;
  const char* function;
};

namespace detail {

[[noreturn]] UPCALL_COLD inline void throw_no_function(std::size_t arity, ERL_NIF_TERM got) {
  throw bad_term("a function of arity " + std::to_string(arity), got);
}

}  // namespace detail

template <class Signature>
class function;

template <class Signature>
class async_function;

template <class Signature>
class executor_function;

template <class Signature>
class kept_function;

/// Holds a copy of a function for as long as native state likes. Called during any later NIF call,
/// it runs in *that* caller's process; each native call that uses it copies it once.
///
/// Threads: any may hold and copy it; a call is an upcall, see `function`.
template <class R, class... Args>
class kept_function<R(Args...)> {
 public:
  /// Makes it callable in the running frame or pinned body, whose threads may use what it gives.
  /// Throws: `error` outside of one, and when it was moved from.
  [[nodiscard]] function<R(Args...)> here() const {
    return function<R(Args...)>(detail::function_root::of_kept(copy()));
  }
  /// Makes it callable in the running coroutine: `co_await kept.async_here()(x)`. Throws: as
  /// `here`.
  [[nodiscard]] async_function<R(Args...)> async_here() const {
    return async_function<R(Args...)>(detail::function_root::of_kept(copy()));
  }

  /// Makes it callable here, and calls it; in a coroutine, `co_await async_here()(x)`. Threads and
  /// Throws: as `function`.
  R operator()(const std::remove_cvref_t<Args>&... args) const { return here()(args...); }
  /// Makes it callable here, calls it, and gives what came of it. Threads and Throws: as
  /// `function::try_call`.
  result<R> try_call(const std::remove_cvref_t<Args>&... args) const {
    return detail::result_of<R>([&] { return here().try_call(args...); });
  }

  /// Makes one that runs in an executor and can be called on any thread. Threads: any. Throws:
  /// `error` when it was moved from.
  [[nodiscard]] executor_function<R(Args...)> on(const executor& where,
                                                 const call_options& options = {}) const;

  /// Gives the function as a term. Throws: `error` when it was moved from.
  [[nodiscard]] owned_term as_owned_term() const { return *copy(); }

 private:
  friend class function<R(Args...)>;
  friend class async_function<R(Args...)>;
  friend struct codec<kept_function<R(Args...)>>;
  explicit kept_function(detail::function_copy copy) noexcept : m_copy(std::move(copy)) {}

  [[nodiscard]] const detail::function_copy& copy() const {
    if (m_copy == nullptr) detail::throw_function_moved_from();
    return m_copy;
  }

  detail::function_copy m_copy;
};

template <class R, class... Args>
struct codec<kept_function<R(Args...)>> {
  using own = kept_function<R(Args...)>;
  // No frame is needed for it: what an executor returns may be one as well.
  static kept_function<R(Args...)> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if (!enif_is_fun(env, raw)) detail::throw_no_function(sizeof...(Args), raw);
    return kept_function<R(Args...)>(std::make_shared<const owned_term>(raw));
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const kept_function<R(Args...)>& value) {
    return value.as_owned_term().copy_to(env);
  }
};

namespace detail {

template <class Signature>
inline constexpr bool is_handle<kept_function<Signature>> = true;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
