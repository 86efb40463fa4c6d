// says: the upcall::codec of this type has no decode
#include <upcall.hpp>

struct celsius {
  double degrees;
};
template <>
struct upcall::codec<celsius> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const celsius& value) {
    return upcall::encode(env, value.degrees);
  }
};
int f(celsius) { return 1; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
