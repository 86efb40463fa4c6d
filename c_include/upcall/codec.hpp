#pragma once

#include <erl_nif.h>

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "atom.hpp"
#include "detail/call/native_call.hpp"
#include "detail/term/codec_error.hpp"
#include "detail/term/missing_codec.hpp"
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
/// upcall, nor raise in the VM: a codec that gives no term, or leaves an exception of
/// `enif_make_badarg` pending, is an `ArgumentError` that names it. A type whose value points into
/// a term says `static constexpr bool borrows = true`.
template <class T>
struct codec;

/// A type whose codec can make it of a term.
template <class T>
concept decodable = requires(ErlNifEnv* env, ERL_NIF_TERM raw) {
  { codec<T>::decode(env, raw) } -> std::convertible_to<T>;
};

/// A type whose codec can make a term of it.
template <class T>
concept encodable = requires(ErlNifEnv* env, const T& value) {
  { codec<T>::encode(env, value) } -> std::same_as<ERL_NIF_TERM>;
};

/// A type whose values are valid until the next upcall, or until the call ends.
template <class T>
concept borrowing = requires {
  requires codec<T>::borrows;
};

namespace detail {

/// A type whose codec is ours (it names the type as its `own`), and not the user's: it raises
/// nothing in the VM, and gives a term or throws.
template <class T>
concept own_codec = std::same_as<typename codec<T>::own, T>;

/// Whether `T` can be decoded; where not, the compiler is told what to write in its place.
template <class T>
consteval bool can_decode() {
  if constexpr (!decodable<T>) {
    if constexpr (requires { sizeof(codec<T>); } && !std::is_pointer_v<T>) {
      static_assert(never<T>,
                    "the upcall::codec of this type has no decode: it needs a public static T "
                    "decode(ErlNifEnv*, ERL_NIF_TERM)");
    } else {
      explain_missing_codec<T>();
    }
  }
  return decodable<T>;
}
/// Whether `T` can be encoded; where not, the compiler is told what to write in its place.
template <class T>
consteval bool can_encode() {
  if constexpr (!encodable<T>) {
    if constexpr (requires { sizeof(codec<T>); } && !std::is_pointer_v<T>) {
      static_assert(never<T>,
                    "the upcall::codec of this type has no encode: it needs a public static "
                    "ERL_NIF_TERM encode(ErlNifEnv*, const T&)");
    } else {
      explain_missing_codec<T>();
    }
  }
  return encodable<T>;
}

}  // namespace detail

template <class T>
T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
  static_assert(detail::can_decode<T>(), "upcall::codec<T> has no decode for this type");
  if constexpr (detail::own_codec<T>) {
    return codec<T>::decode(env, raw);
  } else {
    T decoded = codec<T>::decode(env, raw);
    detail::check_not_raised<T>(env);
    return decoded;
  }
}

/// Makes a term of `value` in `env`.
/// Threads: those of `env`. Throws: what the codec throws.
template <class T>
ERL_NIF_TERM encode(ErlNifEnv* env, const T& value) {
  static_assert(detail::can_encode<T>(), "upcall::codec<T> has no encode for this type");
  if constexpr (detail::own_codec<T>) {
    return codec<T>::encode(env, value);
  } else {
    const ERL_NIF_TERM made = codec<T>::encode(env, value);
    detail::check_encoded<T>(env, made);
    return made;
  }
}

/// Throws before a recursive codec runs out of stack: call it where one calls itself. The
/// containers' codecs do.
/// Threads: any. Throws: `error`, an `ArgumentError`.
void check_nesting();

namespace detail {

/// Gives a copy of a term of `env` that neither moves nor dies before the native call ends.
inline ERL_NIF_TERM keep_in_call(ERL_NIF_TERM raw) { return call_with_terms().keep(raw); }

/// Gives a term of `env` as one of the running step.
inline ERL_NIF_TERM in_call(ErlNifEnv* env, ERL_NIF_TERM raw) {
  native_call* const running = current_call();
  return running == nullptr ? raw : running->borrow(env, raw);
}

}  // namespace detail

namespace detail {

template <class T>
ERL_NIF_TERM encode_field(ErlNifEnv* env, const char* module, const char* name, const T& value) {
  try {
    return upcall::encode<T>(env, value);
  } catch (codec_error& failure) {
    failure.within("field " + std::string(name) + " of " + printed(detail::make_atom(env, module)));
    throw;
  }
}

}  // namespace detail

/// Raises the Elixir exception `exception_module` with fields, as `raise module, key: value` does:
/// `upcall::raise("Elixir.KeyError", std::pair{"key", key}, std::pair{"term", owned})`.
/// Threads: any. Throws: always, `error`; an `ArgumentError` where no module or field can have such
/// a name.
template <class... Values>
[[noreturn]] void raise(const char* exception_module,
                        const std::pair<const char*, Values>&... fields) {
  detail::check_name(exception_module, "an exception's module");
  (detail::check_name(fields.first, "a field"), ...);
  auto env = std::make_shared<owned_env>();
  const std::array<ERL_NIF_TERM, sizeof...(Values)> keywords{enif_make_tuple2(
      env->get(), detail::make_atom(env->get(), fields.first),
      detail::encode_field(env->get(), exception_module, fields.first, fields.second))...};
  const ERL_NIF_TERM list = enif_make_list_from_array(env->get(), keywords.data(),
                                                      static_cast<unsigned>(keywords.size()));
  throw error(exception_module, owned_term(env, list), exception_module);
}

template <class T>
T owned_term::as() const {
  try {
    return upcall::decode<T>(env(), m_raw);
  } catch (bad_term& failure) {
    // It outlives this copy, and the caller is told what was got.
    failure.replace_got(detail::in_call(env(), failure.got().raw()));
    throw;
  }
}

}  // namespace UPCALL_HIDDEN

#include "detail/term/error_banner.hpp"  // IWYU pragma: export

// The codecs of what every NIF takes.
#include "detail/term/basic_codecs.hpp"  // IWYU pragma: export

#if defined(UPCALL_HEADER_ONLY)
#include "detail/term/codec.ipp"  // IWYU pragma: export
#endif
