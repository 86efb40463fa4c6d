#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>

#include "../../codec.hpp"
#include "../call/native_call.hpp"
#include "../term/parts.hpp"

// What parameters and results of C++ functions may be, and in which bodies they are of use.

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

/// Specialised for functions whose calls wait in one kind of body only.
template <class T, body_kind Kind>
inline constexpr bool waits_only_in = false;

template <body_kind Kind, class T, class... Outer>
consteval bool part_waits_in();

template <body_kind Kind, class... Parts, class... Outer>
consteval bool any_part_waits_in(type_list<Parts...>, type_list<Outer...>) {
  return (part_waits_in<Kind, Parts, Outer...>() || ...);
}

template <body_kind Kind, class T, class... Outer>
consteval bool part_waits_in() {
  if constexpr ((std::same_as<T, Outer> || ...)) {
    return false;  // a type that contains itself
  } else if constexpr (requires { typename codec<T>::parts; }) {
    return any_part_waits_in<Kind>(typename codec<T>::parts{}, type_list<T, Outer...>{});
  } else {
    return waits_only_in<T, Kind>;
  }
}

/// Whether `T` is, or contains, a function whose calls wait in bodies of that kind only.
template <class T, body_kind Kind>
consteval bool waits_in() {
  return part_waits_in<Kind, T>();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
