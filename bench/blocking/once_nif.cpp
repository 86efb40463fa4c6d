// A call through an executor from a dirty NIF, in a table that is written by hand.

#include <erl_nif.h>

#include <upcall.hpp>

namespace {

// once(executor, fun, x)
ERL_NIF_TERM once(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const ERL_NIF_TERM params = enif_make_list1(env, argv[2]);
    return upcall::apply(env, argv[0], argv[1], params).to_term(env);
  });
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }

ErlNifFunc functions[] = {
    {"once", 3, once, ERL_NIF_DIRTY_JOB_IO_BOUND},
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.Bench.Blocking.Once, functions, load, nullptr, nullptr, nullptr)
