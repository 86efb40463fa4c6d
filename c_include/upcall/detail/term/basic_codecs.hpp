#pragma once

#include <erl_nif.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "../../codec.hpp"

// The codecs of what every NIF takes: numbers, atoms, pids, terms, and text.

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

template <>
struct codec<atom> {
  using own = atom;
  static atom decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if (!enif_is_atom(env, raw)) throw bad_term("an atom", raw);
    return atom(raw);
  }
  static ERL_NIF_TERM encode(ErlNifEnv*, const atom& value) noexcept { return value.raw(); }
};

template <>
struct codec<static_atom> {
  using own = static_atom;
  static ERL_NIF_TERM encode(ErlNifEnv*, const static_atom& value) noexcept { return value.raw(); }
};

template <>
struct codec<ErlNifPid> {
  using own = ErlNifPid;
  static ErlNifPid decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    ErlNifPid pid{};
    if (!enif_get_local_pid(env, raw, &pid)) throw bad_term("a pid of this node", raw);
    return pid;
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const ErlNifPid& value) noexcept {
    return enif_make_pid(env, &value);
  }
};

/// Any term, as it is: valid as long as a `term` is.
template <>
struct codec<term> {
  using own = term;
  static term decode(ErlNifEnv* env, ERL_NIF_TERM raw) { return term(detail::in_call(env, raw)); }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const term& value) {
    const ERL_NIF_TERM raw = value.raw();
    if (raw == 0) [[unlikely]]
      throw detail::codec_error("expected a term, got: an upcall::term of none (0)");
    return env == detail::current_env() ? raw : enif_make_copy(env, raw);
  }
};

/// Any term, copied.
template <>
struct codec<owned_term> {
  using own = owned_term;
  static owned_term decode(ErlNifEnv*, ERL_NIF_TERM raw) { return owned_term(raw); }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const owned_term& value) noexcept {
    return value.copy_to(env);
  }
};

namespace detail {

/// Copies a binary to where it neither moves nor dies before the call ends. Large ones are shared.
inline ErlNifBinary view_binary(ErlNifEnv* env, ERL_NIF_TERM raw, const char* expected) {
  if (!enif_is_binary(env, raw)) throw bad_term(expected, raw);
  ErlNifBinary binary{};
  enif_inspect_binary(env, keep_in_call(raw), &binary);
  return binary;
}

}  // namespace detail

/// Strings are Elixir's: binaries. The bytes are not checked to be UTF-8.
template <>
struct codec<std::string> {
  using own = std::string;
  static std::string decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    ErlNifBinary binary{};
    if (!enif_inspect_binary(env, raw, &binary)) throw bad_term("a string", raw);
    return {reinterpret_cast<const char*>(binary.data), binary.size};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, std::string_view value) noexcept {
    return detail::make_text(env, value);
  }
};

/// Points to a copy that lives as long as the call; binaries over 64 bytes are not copied.
template <>
struct codec<std::string_view> : codec<std::string> {
  using own = std::string_view;
  static constexpr bool borrows = true;
  static std::string_view decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const ErlNifBinary binary = detail::view_binary(env, raw, "a string");
    return {reinterpret_cast<const char*>(binary.data), binary.size};
  }
};

/// Bytes, as `std::string_view` in all else.
template <>
struct codec<std::span<const std::byte>> {
  using own = std::span<const std::byte>;
  static constexpr bool borrows = true;
  static std::span<const std::byte> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const ErlNifBinary binary = detail::view_binary(env, raw, "a binary");
    return {reinterpret_cast<const std::byte*>(binary.data), binary.size};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, std::span<const std::byte> value) noexcept {
    return codec<std::string>::encode(env,
                                      {reinterpret_cast<const char*>(value.data()), value.size()});
  }
};

template <>
struct codec<const char*> {
  using own = const char*;
  static ERL_NIF_TERM encode(ErlNifEnv* env, const char* value) noexcept {
    return codec<std::string>::encode(env, value);
  }
};

template <std::size_t Size>
struct codec<char[Size]> : codec<const char*> {
  using own = char[Size];
};

}  // namespace UPCALL_HIDDEN
