#pragma once

#include <erl_nif.h>

#include <type_traits>
#include <utility>

#include "codec.hpp"
#include "detail/coroutine/async_call.hpp"
#include "detail/nif/parameters.hpp"
#include "executor.hpp"
#include "kept_function.hpp"
#include "result.hpp"
#include "task.hpp"

namespace upcall UPCALL_HIDDEN {

/// Is `upcall::function` for coroutines: a call of it is something to await.
///
///     double y = co_await f(x);
///     upcall::result<double> outcome = co_await f.try_call(x);
///
/// Copies name the same function; it belongs to the native call that it was decoded in.
///
/// Threads: the frame's own, and after a `co_await` you may be on another one. Any thread may
/// destroy it.
template <class R, class... Args>
class async_function<R(Args...)> {
  static_assert((detail::can_encode<std::remove_cvref_t<Args>>() && ...),
                "upcall::codec has no encode for an argument of this function");
  static_assert(
      detail::changes_none<Args...>(),
      "a change of an argument by reference is lost, as Elixir's functions change nothing: "
      "take it as const & or by value, and return what has changed");
  static_assert(detail::can_return<R>(),
                "an upcall::async_function must return void, an upcall::term or a decodable type "
                "that borrows nothing: a view would dangle at the next upcall; return std::string, "
                "say, in the place of std::string_view");

 public:
  /// Looks a function up by name: `auto upcase = co_await
  /// upcall::async_function<std::string(std::string)>::named({"Elixir.String", "upcase"})`.
  /// The names must be there until then. Throws, when awaited: `error`.
  static detail::async_lookup<async_function> named(const mfa& name) noexcept {
    return {name, static_cast<int>(sizeof...(Args))};
  }

  /// Gives a call to await, and takes the arguments into it: `co_await` makes it, and gives what
  /// the function returned. The function must be there until then.
  /// Throws, when awaited: `error` when it raises, exits or throws, or when what it returns is no
  /// `R`; what the codecs of the arguments throw.
  detail::async_call<R, const detail::function_root&, std::remove_cvref_t<Args>...> operator()(
      std::remove_cvref_t<Args>... args) const& {
    return {m_root, {std::move(args)...}};
  }
  /// Gives a call of a temporary function, which the call takes with it.
  detail::async_call<R, detail::function_root, std::remove_cvref_t<Args>...> operator()(
      std::remove_cvref_t<Args>... args) && {
    return {std::move(m_root), {std::move(args)...}};
  }

  /// Gives a call whose `co_await` gives a `result<R>`, with the error in it.
  /// Throws, when awaited: what the codecs of the arguments throw that is no `error`.
  detail::async_try_call<R, const detail::function_root&, std::remove_cvref_t<Args>...> try_call(
      std::remove_cvref_t<Args>... args) const& {
    return {{m_root, {std::move(args)...}}};
  }
  /// Gives a `try_call` of a temporary function, which the call takes with it.
  detail::async_try_call<R, detail::function_root, std::remove_cvref_t<Args>...> try_call(
      std::remove_cvref_t<Args>... args) && {
    return {{std::move(m_root), {std::move(args)...}}};
  }

  /// Makes one that outlives this call, to store in native state.
  /// Throws: `error` when its native call has ended.
  [[nodiscard]] kept_function<R(Args...)> keep() const {
    return kept_function<R(Args...)>(m_root.keep());
  }

  /// Makes one that runs in an executor and can be called on any thread; in a coroutine,
  /// `co_await f.on(executor).submit(x)`. Throws: as `keep`.
  [[nodiscard]] executor_function<R(Args...)> on(const executor& where,
                                                 const call_options& options = {}) const {
    return keep().on(where, options);
  }

  /// Gives the function itself. Throws: `error` outside of its native call.
  [[nodiscard]] term as_term() const { return term(m_root.raw()); }

 private:
  friend class kept_function<R(Args...)>;
  friend struct codec<async_function>;
  friend struct detail::lookup_operation<async_function>;
  explicit async_function(detail::function_root root) noexcept : m_root(std::move(root)) {}

  detail::function_root m_root;
};

/// Takes a function for the running frame. Throws: `bad_term`; `error` outside of one.
template <class R, class... Args>
struct codec<async_function<R(Args...)>> {
  using own = async_function<R(Args...)>;
  static async_function<R(Args...)> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if (!enif_is_fun(env, raw)) detail::throw_no_function(sizeof...(Args), raw);
    return async_function<R(Args...)>(detail::function_root::add(env, raw));
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const async_function<R(Args...)>& value) {
    return codec<term>::encode(env, value.as_term());
  }
};

namespace detail {

template <class Signature>
inline constexpr bool waits_only_in<async_function<Signature>, body_kind::coroutine> = true;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
