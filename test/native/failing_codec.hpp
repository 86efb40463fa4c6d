#pragma once

// A type whose codec fails in the way of C NIFs: it gives no term, or raises in the VM.

#include <erl_nif.h>

#include <upcall/structs.hpp>

namespace {

/// What the codec of a `faulty` does: `decoding` comes to pass at once, all others when it is
/// encoded.
enum class fault { none, zero, badarg, badarg_and_term, decoding, decoding_and_throw };

struct faulty {
  fault how = fault::none;
  bool operator<(const faulty& other) const { return how < other.how; }
};
struct holder_of_faulty {
  faulty value;
};
struct options_of_faulty {
  faulty value;
};

}  // namespace

template <>
struct upcall::codec<fault>
    : upcall::enum_codec<fault, upcall::named<fault::none, "none">,
                         upcall::named<fault::zero, "zero">, upcall::named<fault::badarg, "badarg">,
                         upcall::named<fault::badarg_and_term, "badarg_and_term">,
                         upcall::named<fault::decoding, "decoding">,
                         upcall::named<fault::decoding_and_throw, "decoding_and_throw">> {};

template <>
struct upcall::codec<faulty> {
  static faulty decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const faulty decoded{upcall::decode<fault>(env, raw)};
    if (decoded.how == fault::decoding) enif_make_badarg(env);
    if (decoded.how == fault::decoding_and_throw) {
      enif_make_badarg(env);
      throw upcall::bad_term("nothing at all", raw);
    }
    return decoded;
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const faulty& value) {
    if (value.how == fault::zero) return 0;
    if (value.how == fault::badarg) return enif_make_badarg(env);
    const ERL_NIF_TERM made = upcall::encode(env, value.how);
    if (value.how == fault::badarg_and_term) enif_raise_exception(env, enif_make_int(env, 7));
    return made;
  }
};

template <>
struct upcall::codec<holder_of_faulty>
    : upcall::struct_codec<holder_of_faulty, "Elixir.UpcallTest.FailingCodec.Holder",
                           upcall::field<&holder_of_faulty::value, "value">> {};
template <>
struct upcall::codec<options_of_faulty>
    : upcall::keyword_codec<options_of_faulty, upcall::field<&options_of_faulty::value, "value">> {
};
