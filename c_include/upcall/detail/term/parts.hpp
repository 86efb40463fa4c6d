#pragma once

#include <erl_nif.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../base/config.hpp"
#include "codec_error.hpp"

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

/// Whether the codec of `T` is ours, and all that it uses are: none of the user's code runs.
template <class T, class... Outer>
consteval bool own_throughout();

template <class... Parts, class... Outer>
consteval bool all_parts_own(type_list<Parts...>, type_list<Outer...>) {
  return (own_throughout<Parts, Outer...>() && ...);
}

template <class T, class... Outer>
consteval bool own_throughout() {
  if constexpr (std::is_void_v<T> || (std::same_as<T, Outer> || ...)) {
    return true;  // nothing runs for it, or it contains itself
  } else if constexpr (own_codec<T> && requires { typename codec<T>::parts; }) {
    return all_parts_own(typename codec<T>::parts{}, type_list<T, Outer...>{});
  } else {
    return own_codec<T>;
  }
}

/// Passes `failure` (a `bad_term` or a `codec_error`) on, with where it happened. To be called in
/// its handler.
template <class Failure>
[[noreturn]] UPCALL_COLD UPCALL_NOINLINE void rethrow_within(Failure& failure,
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
    detail::rethrow_within(failure, place());
  } catch (codec_error& failure) {
    detail::rethrow_within(failure, place());
  }
}

/// A type of which each value has a term, so that nothing needs to know where it was.
template <class T>
concept encodes_all = own_codec<T> && requires(ErlNifEnv* env, const T& value) {
  { codec<T>::encode(env, value) }
  noexcept;
};

/// Encodes a part; `place()` names it in errors.
template <class T, class Place>
ERL_NIF_TERM encode_part(ErlNifEnv* env, const T& value, const Place& place) {
  if constexpr (encodes_all<T>) {
    return codec<T>::encode(env, value);
  } else {
    try {
      return upcall::encode<T>(env, value);
    } catch (codec_error& failure) {
      detail::rethrow_within(failure, place());
    }
  }
}

/// Encodes what crosses the border by itself. `place()` names it, and is never cut.
template <class T, class Place>
UPCALL_ALWAYS_INLINE ERL_NIF_TERM encode_whole(ErlNifEnv* env, const T& value, const Place& place) {
  if constexpr (encodes_all<T>) {
    return codec<T>::encode(env, value);
  } else {
    try {
      return upcall::encode<T>(env, value);
    } catch (codec_error& failure) {
      failure.within(place());
      throw;
    }
  }
}

/// Decodes what crosses the border by itself. `place()` names it, and is never cut.
template <class T, class Place>
T decode_whole(ErlNifEnv* env, ERL_NIF_TERM raw, const Place& place) {
  try {
    return upcall::decode<T>(env, raw);
  } catch (bad_term& failure) {
    failure.within(place());
    throw;
  } catch (codec_error& failure) {
    failure.within(place());
    throw;
  }
}

/// Decodes what a function returned, for which who catches a `bad_term` blames that function.
template <class R>
UPCALL_ALWAYS_INLINE R decode_returned([[maybe_unused]] ErlNifEnv* env,
                                       [[maybe_unused]] ERL_NIF_TERM raw) {
  if constexpr (std::is_void_v<R>) {
    return;  // whatever it is
  } else if constexpr (own_throughout<R>()) {
    return upcall::decode<R>(env, raw);
  } else {
    try {
      return upcall::decode<R>(env, raw);
    } catch (codec_error& failure) {
      failure.within("what the function returned");
      throw;
    }
  }
}

/// Encodes what a native call gives.
template <class R>
ERL_NIF_TERM encode_result(ErlNifEnv* env, const R& value) {
  return detail::encode_whole<R>(env, value, [] { return "the result"; });
}

// Functions and no lambdas, which Clang 14 does not survive in a pack.
template <std::size_t Position>
std::string place_of_argument() {
  return "argument " + std::to_string(Position);
}
template <std::size_t Position>
std::string place_of_function_argument() {
  return place_of_argument<Position>() + " of the function";
}

template <class... Args, std::size_t... Positions>
UPCALL_ALWAYS_INLINE auto encode_each([[maybe_unused]] ErlNifEnv* env,
                                      std::index_sequence<Positions...>, const Args&... args) {
  return std::array<ERL_NIF_TERM, sizeof...(Args)>{
      detail::encode_whole<Args>(env, args, &place_of_function_argument<Positions + 1>)...};
}
/// Encodes the arguments of a function, from left to right.
template <class... Args>
UPCALL_ALWAYS_INLINE std::array<ERL_NIF_TERM, sizeof...(Args)> encode_arguments(
    ErlNifEnv* env, const Args&... args) {
  return detail::encode_each(env, std::index_sequence_for<Args...>{}, args...);
}

inline std::string place_of_element(std::size_t position) {
  return "element " + std::to_string(position);
}

inline std::string count_of_elements(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " element" : " elements");
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
