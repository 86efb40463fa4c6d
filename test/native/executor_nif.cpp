// Calls through executors, from every kind of thread.

#include <erl_nif.h>

#include <upcall.hpp>

namespace {

ERL_NIF_TERM apply_with_timeout(ErlNifEnv* env, const ERL_NIF_TERM argv[]) {
  ErlNifSInt64 milliseconds = 0;
  if (!enif_get_int64(env, argv[3], &milliseconds))
    return upcall::apply(env, argv[0], argv[1], argv[2]).to_term(env);
  return upcall::apply(env, argv[0], argv[1], argv[2], std::chrono::milliseconds(milliseconds))
      .to_term(env);
}

// apply(pid_or_name, fun, params, timeout), on whatever scheduler the table says.
ERL_NIF_TERM apply(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] { return apply_with_timeout(env, argv); });
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }
int upgrade(ErlNifEnv* env, void**, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }

ErlNifFunc functions[] = {
    {"apply_io", 4, apply, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"apply_cpu", 4, apply, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"apply_normal", 4, apply, 0},
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.Executor, functions, load, nullptr, upgrade, nullptr)
