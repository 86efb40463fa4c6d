#pragma once

#include <concepts>

#include "frame.hpp"
#include "parts.hpp"

// Which functions of Elixir's a parameter has, and so in which bodies it is of use.

namespace upcall UPCALL_HIDDEN {
namespace detail {

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
