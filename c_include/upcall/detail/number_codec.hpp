#pragma once

#include <erl_nif.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "../codec.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

[[noreturn]] UPCALL_COLD inline void throw_no_integer(std::int64_t least, std::uint64_t most,
                                                      ERL_NIF_TERM got) {
  throw bad_term("an integer from " + std::to_string(least) + " to " + std::to_string(most), got);
}

[[noreturn]] UPCALL_COLD inline void throw_no_boolean(ERL_NIF_TERM got) {
  throw bad_term("a boolean", got);
}

[[noreturn]] UPCALL_COLD inline void throw_not_finite(double value) {
  throw codec_error("expected a finite number to make a float of, got: " + std::to_string(value));
}

template <class T>
concept plain_integer = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8;

}  // namespace detail

/// Integers up to 64 bits, with their range checked.
template <detail::plain_integer T>
struct codec<T> {
  using own = T;
  static constexpr bool is_number = true;  ///< in Elixir
  static T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if constexpr (std::is_signed_v<T>) {
      ErlNifSInt64 wide = 0;
      if (enif_get_int64(env, raw, &wide) && std::in_range<T>(wide)) return static_cast<T>(wide);
    } else {
      ErlNifUInt64 wide = 0;
      if (enif_get_uint64(env, raw, &wide) && std::in_range<T>(wide)) return static_cast<T>(wide);
    }
    detail::throw_no_integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), raw);
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, T value) noexcept {
    if constexpr (std::is_signed_v<T>) {
      return enif_make_int64(env, value);
    } else {
      return enif_make_uint64(env, value);
    }
  }
};

/// Floats; an integer of Elixir's is taken too, up to 64 bits.
template <std::floating_point T>
struct codec<T> {
  using own = T;
  static constexpr bool is_number = true;
  static T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const double wide = decode_wide(env, raw);
    // What T cannot hold is undefined to convert.
    if (std::abs(wide) > std::numeric_limits<T>::max()) throw bad_term("a float of 32 bits", raw);
    return static_cast<T>(wide);
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, T value) {
    const auto wide = static_cast<double>(value);
    // The VM has no such floats: the NIF would raise `badarg` later, and elsewhere.
    if (!std::isfinite(wide)) [[unlikely]]
      detail::throw_not_finite(wide);
    return enif_make_double(env, wide);
  }

 private:
  static double decode_wide(ErlNifEnv* env, ERL_NIF_TERM raw) {
    double value = 0;
    ErlNifSInt64 integer = 0;
    ErlNifUInt64 large = 0;
    if (enif_get_double(env, raw, &value)) return value;
    if (enif_get_int64(env, raw, &integer)) return static_cast<double>(integer);
    if (enif_get_uint64(env, raw, &large)) return static_cast<double>(large);
    throw bad_term(enif_is_number(env, raw) ? "a float, or an integer of 64 bits" : "a float", raw);
  }
};

template <>
struct codec<bool> {
  using own = bool;
  static bool decode(ErlNifEnv*, ERL_NIF_TERM raw) {
    if (raw == detail::atoms::true_.raw()) return true;
    if (raw == detail::atoms::false_.raw()) return false;
    detail::throw_no_boolean(raw);
  }
  static ERL_NIF_TERM encode(ErlNifEnv*, bool value) noexcept {
    return value ? detail::atoms::true_.raw() : detail::atoms::false_.raw();
  }
};

}  // namespace UPCALL_HIDDEN
