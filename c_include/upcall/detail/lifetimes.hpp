#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>

#include "../codec.hpp"

// What parameters and results of C++ functions must not be, as it would be lost or dangle.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Whether no parameter is a reference by which C++ could change it. Elixir's values never change.
template <class... Parameters>
consteval bool changes_none() {
  return (!(std::is_lvalue_reference_v<Parameters> &&
            !std::is_const_v<std::remove_reference_t<Parameters>>)&&...);
}
template <class... Parameters>
consteval bool changes_none(std::type_identity<std::tuple<Parameters...>>) {
  return changes_none<Parameters...>();
}

/// Specialised for what owns nothing that a view could point into: it names something of Elixir's.
template <class T>
inline constexpr bool is_handle = std::is_trivially_destructible_v<T>;
template <>
inline constexpr bool is_handle<owned_term> = true;

/// A parameter that is gone when the function has returned, with what it owns.
template <class Parameter>
concept owner_by_value =
    !std::is_reference_v<Parameter> && !borrowing<Parameter> && !is_handle<Parameter>;

/// A result that may point into something.
template <class Result>
concept view = borrowing<std::remove_cvref_t<Result>> || std::same_as < std::remove_cvref_t<Result>,
const char* > ;

/// Whether a result of that type is there until it is a term. What a parameter by reference refers
/// to is kept that long.
template <class Result, class... Parameters>
consteval bool outlives(std::type_identity<std::tuple<Parameters...>>) {
  return !view<Result> || !(owner_by_value<Parameters> || ...);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
