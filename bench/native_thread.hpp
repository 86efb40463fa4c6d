#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <thread>
#include <upcall.hpp>
#include <utility>

/// Runs `loop` on a thread of its own, which sends `{:sum, sum}` to `receiver` at its end.
template <class Loop>
void start_native_thread(Loop loop, ErlNifPid receiver) {
  std::thread([loop = std::move(loop), receiver] {
    const auto sum = static_cast<std::int64_t>(loop());
    const upcall::owned_env message;
    ErlNifEnv* const env = message.get();
    enif_send(nullptr, &receiver, env,
              enif_make_tuple2(env, enif_make_atom(env, "sum"), enif_make_int64(env, sum)));
  }).detach();
}
