#pragma once

#include <erl_nif.h>

#include <functional>
#include <type_traits>
#include <utility>

#include "codec.hpp"
#include "detail/frame/fiber_frame.hpp"
#include "detail/function/call.hpp"
#include "detail/nif/parameters.hpp"
#include "error.hpp"
#include "executor.hpp"
#include "kept_function.hpp"
#include "result.hpp"

namespace upcall UPCALL_HIDDEN {

/// Calls a function of Elixir's, in the process that called the NIF, and waits for it without
/// holding a scheduler. Copies name the same function; it belongs to the native call that it was
/// decoded in.
///
/// Threads: the frame's own; you may be on another thread afterwards, so do not hold a lock,
/// `errno` or a `thread_local` across a call. In a pinned NIF, any thread that its body starts; the
/// call blocks it. Any thread may destroy it.
template <class R, class... Args>
class function<R(Args...)> {
  static_assert((detail::can_encode<std::remove_cvref_t<Args>>() && ...),
                "upcall::codec has no encode for an argument of this function");
  static_assert(
      detail::changes_none<Args...>(),
      "a change of an argument by reference is lost, as Elixir's functions change nothing: "
      "take it as const & or by value, and return what has changed");
  static_assert(
      detail::can_return<R>(),
      "an upcall::function must return void, an upcall::term or a decodable type that borrows "
      "nothing: a view "
      "would dangle at the next upcall; return std::string, say, in the place of std::string_view");

 public:
  /// Looks a function up by name. Throws: `error`; `abandoned`.
  explicit function(const mfa& name)
      : m_root(detail::capture(name.module, name.function, static_cast<int>(sizeof...(Args)))) {}

  /// Calls it. Throws: `error` when it raises, exits or throws, or when what it returns is no `R`;
  /// `abandoned` when the caller is gone; what the codecs of the arguments throw.
  UPCALL_ALWAYS_INLINE R operator()(const std::remove_cvref_t<Args>&... args) const {
    detail::frame* const running = detail::begin_call(m_root, args...);
    if (running == nullptr) [[unlikely]]
      return detail::call_pinned<R>(m_root, args...);
    detail::leave_fiber(*running);
    return detail::end_call<R>(*running);
  }

  /// Calls it and gives what came of it; also in a destructor that runs while an exception unwinds
  /// the stack, and on a thread that a pinned body has started. Throws: `abandoned`, but not there;
  /// what the codecs of the arguments throw that is no `error`.
  result<R> try_call(const std::remove_cvref_t<Args>&... args) const {
    return detail::result_of<R>([&]() -> R { return (*this)(args...); });
  }

  /// Makes one that outlives this call, to store in native state.
  /// Throws: `error` when its native call has ended; `abandoned`.
  [[nodiscard]] kept_function<R(Args...)> keep() const {
    return kept_function<R(Args...)>(m_root.keep());
  }

  /// Makes one that runs in an executor and can be called on any thread, also after this call.
  /// Throws: as `keep`.
  [[nodiscard]] executor_function<R(Args...)> on(const executor& where,
                                                 const call_options& options = {}) const {
    return keep().on(where, options);
  }

  /// Gives the function itself. Throws: `error` outside of its native call; `abandoned`.
  [[nodiscard]] term as_term() const { return term(m_root.raw()); }

 private:
  explicit function(detail::function_root root) noexcept : m_root(std::move(root)) {}
  friend class kept_function<R(Args...)>;
  friend struct codec<function>;
  template <class Result, class Argument, class Range>
  friend auto map(const function<Result(Argument)>& f, const Range& range);

  detail::function_root m_root;
};

/// Takes a function for the native call here. Throws: `bad_term`; `error` outside of one;
/// `abandoned`.
template <class R, class... Args>
struct codec<function<R(Args...)>> {
  using own = function<R(Args...)>;
  static function<R(Args...)> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if (!enif_is_fun(env, raw)) detail::throw_no_function(sizeof...(Args), raw);
    return function<R(Args...)>(detail::function_root::add(env, raw));
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const function<R(Args...)>& value) {
    return codec<term>::encode(env, value.as_term());
  }
};

/// So that an existing C++ function that takes a `std::function` needs no glue.
template <class R, class... Args>
struct codec<std::function<R(Args...)>> {
  using own = std::function<R(Args...)>;
  static_assert(!std::is_reference_v<R>,
                "a function of Elixir's returns a value: a reference to it would dangle");
  static_assert(
      detail::changes_none<Args...>(),
      "a change of an argument by reference is lost, as Elixir's functions change nothing: "
      "take it as const & or by value, and return what has changed");
  static std::function<R(Args...)> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return codec<function<std::remove_cvref_t<R>(Args...)>>::decode(env, raw);
  }
};

namespace detail {

template <class Signature>
inline constexpr bool waits_only_in<function<Signature>, body_kind::fiber> = true;
template <class Signature>
inline constexpr bool waits_only_in<std::function<Signature>, body_kind::fiber> = true;
template <class Signature>
inline constexpr bool is_handle<function<Signature>> = true;
template <class Signature>
inline constexpr bool is_handle<std::function<Signature>> = true;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
