#pragma once

#include <erl_nif.h>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "../codec.hpp"
#include "../error.hpp"
#include "config.hpp"

// What codecs that wrap other codecs have in common.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Names the types whose codecs a codec uses: its `parts`.
template <class... Ts>
struct type_list {};

template <class T, class... Outer>
consteval bool borrows_inside();

template <class... Parts, class... Outer>
consteval bool any_part_borrows(type_list<Parts...>, type_list<Outer...>) {
  return (borrows_inside<Parts, Outer...>() || ...);
}

// The way from `Outer` to `T` is known, because the `borrows` of a type that contains itself would
// depend on itself.
template <class T, class... Outer>
consteval bool borrows_inside() {
  if constexpr ((std::same_as<T, Outer> || ...)) {
    return false;
  } else if constexpr (requires { typename codec<T>::parts; }) {
    return any_part_borrows(typename codec<T>::parts{}, type_list<T, Outer...>{});
  } else {
    return borrowing<T>;
  }
}

/// Whether a value that is made of `Parts` points into a term: what a wrapping codec's `borrows`
/// is.
template <class T, class... Parts>
consteval bool borrows_through() {
  return any_part_borrows(type_list<Parts...>{}, type_list<T>{});
}

/// Passes `failure` on, with where it happened. To be called in its handler.
[[noreturn]] UPCALL_COLD UPCALL_NOINLINE inline void rethrow_within(bad_term& failure,
                                                                    std::string_view place) {
  // Each step moves the text of the earlier ones: a deep term would take for ever.
  constexpr std::size_t longest = 500;
  constexpr std::string_view cut = "...";
  if (failure.where().size() < longest) {
    failure.within(place);
  } else if (!failure.where().starts_with(cut)) {
    failure.within(cut);
  }
  throw;
}

/// Decodes a part; `place()` names it in errors.
template <class T, class Place>
T decode_part(ErlNifEnv* env, ERL_NIF_TERM raw, const Place& place) {
  try {
    return upcall::decode<T>(env, raw);
  } catch (bad_term& failure) {
    rethrow_within(failure, place());
  }
}

inline std::string place_of_element(std::size_t position) {
  return "element " + std::to_string(position);
}

inline std::string count_of_elements(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " element" : " elements");
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
