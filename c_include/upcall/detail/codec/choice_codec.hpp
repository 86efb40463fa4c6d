#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "../term/parts.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gathers why the alternatives of a variant were refused.
class refusals {
 public:
  void add(const bad_term& refusal) { m_all.push_back(refusal); }

  /// Throws one `bad_term` for all.
  [[noreturn]] void give_up(ERL_NIF_TERM raw) const;

 private:
  std::vector<bad_term> m_all;
};

}  // namespace detail

/// `nil`.
template <>
struct codec<std::monostate> {
  using own = std::monostate;
  static std::monostate decode(ErlNifEnv*, ERL_NIF_TERM raw) {
    if (raw != detail::atoms::nil.raw()) throw bad_term("nil", raw);
    return {};
  }
  static ERL_NIF_TERM encode(ErlNifEnv*, std::monostate) noexcept {
    return detail::atoms::nil.raw();
  }
};

/// A `T`, or `nil`, which is no value even where `T` would take it.
template <class T>
struct codec<std::optional<T>> {
  using own = std::optional<T>;
  using parts = detail::type_list<T>;
  static constexpr bool borrows = detail::borrows_through<std::optional<T>, T>();

  static std::optional<T> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    check_nesting();
    if (raw == detail::atoms::nil.raw()) return std::nullopt;
    try {
      return upcall::decode<T>(env, raw);
    } catch (const bad_term& failure) {
      if (!failure.where().empty()) throw;
      throw bad_term(failure.expected() + " or nil", raw);
    }
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const std::optional<T>& value) {
    check_nesting();
    return value ? upcall::encode<T>(env, *value) : detail::atoms::nil.raw();
  }
};

/// The first alternative that decodes.
template <class... Ts>
struct codec<std::variant<Ts...>> {
  using own = std::variant<Ts...>;
  using parts = detail::type_list<Ts...>;
  static constexpr bool borrows = detail::borrows_through<std::variant<Ts...>, Ts...>();

  static std::variant<Ts...> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    check_nesting();
    return decode_first(env, raw, std::index_sequence_for<Ts...>{});
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const std::variant<Ts...>& value) {
    check_nesting();
    return std::visit([env]<class T>(const T& held) { return upcall::encode<T>(env, held); },
                      value);
  }

 private:
  template <std::size_t... Positions>
  static std::variant<Ts...> decode_first(ErlNifEnv* env, ERL_NIF_TERM raw,
                                          std::index_sequence<Positions...>) {
    std::optional<std::variant<Ts...>> decoded;
    detail::refusals refused;
    const auto try_one = [&]<std::size_t Position, class T>(std::in_place_index_t<Position> which,
                                                            std::type_identity<T>) {
      try {
        decoded.emplace(which, upcall::decode<T>(env, raw));
        return true;
      } catch (const bad_term& refusal) {
        detail::check_not_raised<T>(env);  // which the next alternative would be blamed for
        refused.add(refusal);
        return false;
      }
    };
    if (!(try_one(std::in_place_index<Positions>, std::type_identity<Ts>{}) || ...)) {
      refused.give_up(raw);
    }
    return std::move(*decoded);
  }
};

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "choice_codec.ipp"  // IWYU pragma: export
#endif
