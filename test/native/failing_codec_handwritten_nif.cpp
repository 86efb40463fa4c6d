// Codecs that fail in the way of C NIFs, in NIFs that are written by hand.

#include <erl_nif.h>

#include <tuple>
#include <upcall.hpp>
#include <upcall/stl.hpp>

#include "failing_codec.hpp"

namespace {

ERL_NIF_TERM same(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(
      env, [&] { return upcall::encode(env, upcall::decode<faulty>(env, argv[0])); });
}
ERL_NIF_TERM in_result(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    return upcall::result<faulty>(upcall::decode<faulty>(env, argv[0])).to_term(env);
  });
}
ERL_NIF_TERM apply_to(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const auto params = std::tuple(upcall::decode<faulty>(env, argv[2]));
    const upcall::result<> answer = upcall::apply(env, argv[0], argv[1], params);
    return upcall::encode(env, answer.value().as<faulty>());
  });
}
ERL_NIF_TERM apply_to_nothing(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(
      env, [&] { return upcall::apply(env, argv[0], argv[1], ERL_NIF_TERM{0}).to_term(env); });
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }

ErlNifFunc functions[] = {
    {"same", 1, same, 0},
    {"in_result", 1, in_result, 0},
    {"apply_to", 3, apply_to, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"apply_to_nothing", 2, apply_to_nothing, ERL_NIF_DIRTY_JOB_IO_BOUND},
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.FailingCodecHandwritten, functions, load, nullptr, nullptr, nullptr)
