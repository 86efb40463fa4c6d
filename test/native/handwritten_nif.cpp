// A library with a table and callbacks of its own, into which Upcall is taken.

#include <erl_nif.h>

#include <cstdint>
#include <memory>
#include <new>
#include <upcall.hpp>

namespace {

struct state {
  int upgrades;
  int calls;
};

state* state_of(ErlNifEnv* env) { return static_cast<state*>(enif_priv_data(env)); }

ERL_NIF_TERM count(ErlNifEnv* env, int, const ERL_NIF_TERM[]) {
  return enif_make_tuple2(env, enif_make_int(env, state_of(env)->upgrades),
                          enif_make_int(env, ++state_of(env)->calls));
}

std::int64_t twice(upcall::function<std::int64_t(std::int64_t)> f, std::int64_t x) {
  return f(f(x));
}

std::int64_t scheduler(upcall::function<std::int64_t(std::int64_t)> f) {
  return f(enif_thread_type());
}

int load(ErlNifEnv* env, void** priv_data, ERL_NIF_TERM info) {
  *priv_data = new (std::nothrow) state{0, 0};
  return *priv_data == nullptr ? 1 : upcall::load(env, info);
}

int upgrade(ErlNifEnv* env, void** priv_data, void** old_priv_data, ERL_NIF_TERM info) {
  *priv_data = new (std::nothrow) state{static_cast<state*>(*old_priv_data)->upgrades + 1, 0};
  return *priv_data == nullptr ? 1 : upcall::load(env, info);
}

void unload(ErlNifEnv*, void* priv_data) {
  const std::unique_ptr<state> owned(static_cast<state*>(priv_data));
}

ErlNifFunc functions[] = {
    {"count", 0, count, 0},
    UPCALL_ENTRY("twice", twice),
    UPCALL_ENTRY("scheduler", scheduler, upcall::dirty_io),
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.Handwritten, functions, load, nullptr, upgrade, unload)
