#pragma once

#include <erl_nif.h>

#include "../codec.hpp"

namespace upcall UPCALL_HIDDEN {

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

}  // namespace UPCALL_HIDDEN
