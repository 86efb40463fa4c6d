#include <erl_nif.h>

#include <cstdint>

namespace {

ERL_NIF_TERM square(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  ErlNifSInt64 x = 0;
  if (!enif_get_int64(env, argv[0], &x)) return enif_make_badarg(env);
  return enif_make_int64(env, x * x);
}

ErlNifFunc nifs[] = {{"square", 1, &square, 0}};

}  // namespace

ERL_NIF_INIT(Elixir.Bench.Callback.Nif.Native, nifs, nullptr, nullptr, nullptr, nullptr)
