#pragma once

#include <erl_nif.h>

#include <type_traits>
#include <utility>
#include <variant>

#include "codec.hpp"
#include "detail/term/parts.hpp"
#include "error.hpp"

namespace upcall UPCALL_HIDDEN {

/// What a call that throws nothing gives: the value, or the error. `upcall::result r = …` without
/// arguments is the result of an untyped call: any term, copied.
/// Threads: any, one at a time.
template <class R = owned_term>
class result {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  explicit(false) result(value_type value) : m_outcome(std::in_place_index<0>, std::move(value)) {}
  explicit(false) result(upcall::error failure)
      : m_outcome(std::in_place_index<1>, std::move(failure)) {}

  /// Says whether there is a value.
  [[nodiscard]] bool has_value() const noexcept { return m_outcome.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Gives the value. Throws: the error, where there is none.
  const value_type& value() const {
    if (!has_value()) throw std::get<1>(m_outcome);
    return std::get<0>(m_outcome);
  }
  /// Gives the value, of a `void` result nothing. Throws: the error, where there is none.
  R take() && {
    if (!has_value()) throw std::get<1>(m_outcome);
    if constexpr (!std::is_void_v<R>) return std::get<0>(std::move(m_outcome));
  }
  /// Gives the value, or `other`.
  [[nodiscard]] value_type value_or(value_type other) const {
    return has_value() ? std::get<0>(m_outcome) : std::move(other);
  }
  /// Gives the error. Throws: `std::bad_variant_access` where there is a value.
  [[nodiscard]] const upcall::error& error() const { return std::get<1>(m_outcome); }

  /// Gives `{:ok, value}`, or `{:error, reason}` with one of `{:exception, exception}`,
  /// `{:exit, reason}`, `{:throw, value}`, `:timeout`, `{:down, reason}`, `:noproc`,
  /// `:calling_self`, `:overloaded`. A `void` result is `{:ok, :ok}`.
  /// Threads: those of `env`. Throws: what the codec of the value throws.
  [[nodiscard]] ERL_NIF_TERM to_term(ErlNifEnv* env) const {
    if (!has_value()) {
      return enif_make_tuple2(env, detail::atoms::error.raw(), error().to_term(env));
    }
    if constexpr (std::is_void_v<R>) {
      return enif_make_tuple2(env, detail::atoms::ok.raw(), detail::atoms::ok.raw());
    } else {
      return enif_make_tuple2(env, detail::atoms::ok.raw(),
                              detail::encode_whole<value_type>(env, std::get<0>(m_outcome), [] {
                                return "the value of a result";
                              }));
    }
  }

 private:
  std::variant<value_type, upcall::error> m_outcome;
};

result(upcall::error)->result<owned_term>;

/// As the result of a NIF, what `to_term` gives: an error in it is a value and raises nothing.
template <class R>
struct codec<result<R>> {
  using own = result<R>;
  using parts = detail::type_list<typename result<R>::value_type>;
  static constexpr bool borrows =
      detail::borrows_through<result<R>, typename result<R>::value_type>();

  static ERL_NIF_TERM encode(ErlNifEnv* env, const result<R>& value) { return value.to_term(env); }
};

namespace detail {

/// Gives what `call()` gives, or the error that it throws. Throws: all else; `abandoned` only where
/// that can reach the native call's begin, as far as it can be told.
template <class R, class Call>
result<R> result_of(const Call& call) {
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return std::monostate{};
    } else {
      return call();
    }
  } catch (const error& failure) {
    return failure;
  } catch (const abandoned&) {
    if (may_throw_abandoned()) throw;
    return error(
        "Elixir.RuntimeError",
        "the process that this native call worked for is gone, and so it calls no function "
        "any more; f.on(executor).cast(…) still tells, in a destructor, too");
  }
}

}  // namespace detail

}  // namespace UPCALL_HIDDEN
