#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "../codec.hpp"

namespace upcall UPCALL_HIDDEN {
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
