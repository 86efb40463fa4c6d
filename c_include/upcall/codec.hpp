#pragma once

#include <erl_nif.h>

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "atom.hpp"
#include "detail/frame.hpp"
#include "error.hpp"
#include "term.hpp"

namespace upcall UPCALL_HIDDEN {

/// Says how a type looks in Elixir. Specialise it for a type of yours:
///
///     template <> struct upcall::codec<celsius> {
///       static celsius decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
///         return celsius{upcall::decode<double>(env, raw)};
///       }
///       static ERL_NIF_TERM encode(ErlNifEnv* env, const celsius& value) {
///         return upcall::encode(env, value.degrees);
///       }
///     };
///
/// `decode` throws `bad_term("a temperature", raw)` for what it does not take. Neither may make an
/// upcall. A type whose value points into a term says `static constexpr bool borrows = true`.
template <class T>
struct codec;

template <class T>
concept decodable = requires(ErlNifEnv* env, ERL_NIF_TERM raw) {
  { codec<T>::decode(env, raw) } -> std::convertible_to<T>;
};

template <class T>
concept encodable = requires(ErlNifEnv* env, const T& value) {
  { codec<T>::encode(env, value) } -> std::same_as<ERL_NIF_TERM>;
};

/// A type whose values are valid until the next upcall, or until the frame ends.
template <class T>
concept borrowing = requires {
  requires codec<T>::borrows;
};

template <class T>
T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
  static_assert(
      decodable<T>,
      "upcall::codec<T> has no decode for this type: specialise it, or include <upcall/stl.hpp>");
  return codec<T>::decode(env, raw);
}

/// Makes a term of `value` in `env`. Throws: what the codec throws.
template <class T>
ERL_NIF_TERM encode(ErlNifEnv* env, const T& value) {
  static_assert(
      encodable<T>,
      "upcall::codec<T> has no encode for this type: specialise it, or include <upcall/stl.hpp>");
  return codec<T>::encode(env, value);
}

/// Throws before a recursive codec runs out of stack: call it where one calls itself. The
/// containers' codecs do. Throws: `error`, an `ArgumentError`.
inline void check_nesting() {
  constexpr std::ptrdiff_t margin =
      std::ptrdiff_t{32} * 1024;  // enough for a leaf, and for throwing
  const detail::frame* running = detail::current_frame();
  if (running == nullptr) return;
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  if (here - running->stack_end() < margin) {
    raise("Elixir.ArgumentError",
          "the term is nested too deeply for the stack of this native call; "
          "give the NIF a larger upcall::stack_size");
  }
}

namespace detail {

inline step_mark current_step() noexcept {
  const frame* running = current_frame();
  return running == nullptr ? step_mark{} : running->mark();
}

inline ErlNifEnv* current_env() {
  const frame* running = current_frame();
  if (running == nullptr)
    raise("Elixir.RuntimeError", "no native call of Upcall runs on this thread");
  return running->env();
}

/// Gives a term of `env` as one of the running step: a part of an owned_term has to be copied, for
/// terms of two heaps may not be mixed.
inline ERL_NIF_TERM in_frame(ErlNifEnv* env, ERL_NIF_TERM raw) noexcept {
  const frame* running = current_frame();
  const bool foreign = running != nullptr && running->env() != nullptr && running->env() != env;
  return foreign ? enif_make_copy(running->env(), raw) : raw;
}

template <class T>
concept plain_integer = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8;

/// Copies a binary to where it neither moves nor dies before the frame ends. Large ones are shared.
inline ErlNifBinary view_binary(ERL_NIF_TERM raw, const char* expected) {
  frame* running = current_frame();
  if (running == nullptr)
    raise("Elixir.RuntimeError", "a view can be decoded inside a native call of Upcall only");
  ErlNifEnv* env = running->views();
  if (!enif_is_binary(env, raw)) throw bad_term(expected, raw);
  ErlNifBinary binary{};
  enif_inspect_binary(env, enif_make_copy(env, raw), &binary);
  return binary;
}

}  // namespace detail

/// Integers up to 64 bits, with their range checked.
template <detail::plain_integer T>
struct codec<T> {
  static T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if constexpr (std::is_signed_v<T>) {
      ErlNifSInt64 wide = 0;
      if (enif_get_int64(env, raw, &wide) && std::in_range<T>(wide)) return static_cast<T>(wide);
    } else {
      ErlNifUInt64 wide = 0;
      if (enif_get_uint64(env, raw, &wide) && std::in_range<T>(wide)) return static_cast<T>(wide);
    }
    throw bad_term("an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                       std::to_string(std::numeric_limits<T>::max()),
                   raw);
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
  static T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const double wide = decode_wide(env, raw);
    // What T cannot hold is undefined to convert.
    if (std::abs(wide) > std::numeric_limits<T>::max()) throw bad_term("a float of 32 bits", raw);
    return static_cast<T>(wide);
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, T value) {
    const auto wide = static_cast<double>(value);
    // The VM has no such floats: the NIF would raise `badarg` later, and elsewhere.
    if (!std::isfinite(wide))
      throw std::domain_error("expected a finite number to make a float of, got: " +
                              std::to_string(wide));
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
  static bool decode(ErlNifEnv*, ERL_NIF_TERM raw) {
    if (raw == detail::atoms::true_.raw()) return true;
    if (raw == detail::atoms::false_.raw()) return false;
    throw bad_term("a boolean", raw);
  }
  static ERL_NIF_TERM encode(ErlNifEnv*, bool value) noexcept {
    return value ? detail::atoms::true_.raw() : detail::atoms::false_.raw();
  }
};

template <>
struct codec<atom> {
  static atom decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if (!enif_is_atom(env, raw)) throw bad_term("an atom", raw);
    return atom(raw);
  }
  static ERL_NIF_TERM encode(ErlNifEnv*, const atom& value) noexcept { return value.raw(); }
};

template <>
struct codec<static_atom> {
  static ERL_NIF_TERM encode(ErlNifEnv*, const static_atom& value) noexcept { return value.raw(); }
};

/// Strings are Elixir's: binaries. The bytes are not checked to be UTF-8.
template <>
struct codec<std::string> {
  static std::string decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    ErlNifBinary binary{};
    if (!enif_inspect_binary(env, raw, &binary)) throw bad_term("a string", raw);
    return {reinterpret_cast<const char*>(binary.data), binary.size};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, std::string_view value) noexcept {
    ERL_NIF_TERM made = 0;
    unsigned char* bytes = enif_make_new_binary(env, value.size(), &made);
    if (!value.empty()) std::memcpy(bytes, value.data(), value.size());
    return made;
  }
};

/// Points to a copy that lives as long as the frame; binaries over 64 bytes are not copied.
template <>
struct codec<std::string_view> : codec<std::string> {
  static constexpr bool borrows = true;
  static std::string_view decode(ErlNifEnv*, ERL_NIF_TERM raw) {
    const ErlNifBinary binary = detail::view_binary(raw, "a string");
    return {reinterpret_cast<const char*>(binary.data), binary.size};
  }
};

/// Bytes, as `std::string_view` in all else.
template <>
struct codec<std::span<const std::byte>> {
  static constexpr bool borrows = true;
  static std::span<const std::byte> decode(ErlNifEnv*, ERL_NIF_TERM raw) {
    const ErlNifBinary binary = detail::view_binary(raw, "a binary");
    return {reinterpret_cast<const std::byte*>(binary.data), binary.size};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, std::span<const std::byte> value) noexcept {
    return codec<std::string>::encode(env,
                                      {reinterpret_cast<const char*>(value.data()), value.size()});
  }
};

template <>
struct codec<const char*> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const char* value) noexcept {
    return codec<std::string>::encode(env, value);
  }
};

template <std::size_t Size>
struct codec<char[Size]> : codec<const char*> {};

template <>
struct codec<ErlNifPid> {
  static ErlNifPid decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    ErlNifPid pid{};
    if (!enif_get_local_pid(env, raw, &pid)) throw bad_term("a pid of this node", raw);
    return pid;
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const ErlNifPid& value) noexcept {
    return enif_make_pid(env, &value);
  }
};

/// Any term, as it is: valid until the next upcall.
template <>
struct codec<term> {
  static term decode(ErlNifEnv* env, ERL_NIF_TERM raw) { return term(detail::in_frame(env, raw)); }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const term& value) {
    const ERL_NIF_TERM raw = value.raw();
    return env == detail::current_env() ? raw : enif_make_copy(env, raw);
  }
};

/// Any term, copied.
template <>
struct codec<owned_term> {
  static owned_term decode(ErlNifEnv*, ERL_NIF_TERM raw) { return owned_term(raw); }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const owned_term& value) noexcept {
    return value.copy_to(env);
  }
};

/// Raises the Elixir exception `exception_module` with fields, as `raise module, key: value` does:
/// `upcall::raise("Elixir.KeyError", std::pair{"key", key}, std::pair{"term", owned})`.
/// Threads: any. Throws: always, `error`.
template <class... Values>
[[noreturn]] void raise(const char* exception_module,
                        const std::pair<const char*, Values>&... fields) {
  auto env = std::make_shared<owned_env>();
  const std::array<ERL_NIF_TERM, sizeof...(Values)> keywords{enif_make_tuple2(
      env->get(), enif_make_atom(env->get(), fields.first), encode(env->get(), fields.second))...};
  const ERL_NIF_TERM list = enif_make_list_from_array(env->get(), keywords.data(),
                                                      static_cast<unsigned>(keywords.size()));
  throw error(exception_module, owned_term(env, list), exception_module);
}

template <class T>
T owned_term::as() const {
  try {
    return decode<T>(env(), m_raw);
  } catch (bad_term& failure) {
    // It outlives this copy, and the caller is told what was got.
    const detail::frame* running = detail::current_frame();
    if (running != nullptr && running->env() != nullptr) failure.copy_to(running->env());
    throw;
  }
}

}  // namespace UPCALL_HIDDEN
