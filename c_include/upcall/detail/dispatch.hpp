#pragma once

#include <erl_nif.h>

#include <memory>

#include "../executor.hpp"
#include "executor_table.hpp"
#include "known_pool.hpp"
#include "placement.hpp"
#include "sending_env.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A function, or the name of one, and its list of arguments, in the environment of a
/// `sending_env`.
struct job {
  ERL_NIF_TERM function;
  ERL_NIF_TERM arguments;
};

/// Sends a call to an executor. Whatever becomes of that, the slot says; gives whether it was sent.
inline bool dispatch(const sending_env& env, const executor& to, slot& call, const job& work) {
  ErlNifPid pid{};
  if (!enif_get_local_pid(env.get(), to.raw(), &pid) &&
      !enif_whereis_pid(env.sender(), to.raw(), &pid)) {
    return refuse(call, env.sender(), placement::dead);
  }
  if (pid.pid == call.caller() && call.is_heard())
    return refuse(call, env.sender(), placement::calling_self);

  const shared_ref<executor_link> known = executors->find(env.sender(), pid);
  if (!known) return refuse(call, env.sender(), placement::dead);

  const ERL_NIF_TERM ticket =
      enif_make_tuple2(env.message(), library_module, enif_make_resource(env.message(), &call));
  const ERL_NIF_TERM caller = call.caller() == 0 ? atoms::nil.raw() : call.caller();
  const ERL_NIF_TERM message =
      enif_make_tuple5(env.message(), atoms::upcall.raw(), ticket, caller,
                       env.to_message(work.function), env.to_message(work.arguments));
  const std::shared_ptr<known_pool> pool = known->own_pool();
  const placement found =
      pool == nullptr ? call.move_to(*known) : pool->place(call, *known, message);
  if (found == placement::waiting) return true;
  if (found != placement::placed) return refuse(call, env.sender(), found);
  const shared_ref<executor_link> chosen = call.executor();
  if (!chosen) return false;  // it has died meanwhile, and the slot knows
  if (env.send(chosen->pid(), message)) return true;
  // A worker that has just died, and its pool has another one, or the executor, or the process of
  // the NIF. Nobody takes the call from the list of the executor that it did not reach.
  if (chosen.get() != known.get()) {
    pool->forget_workers();
    if (call.move_to(*known) == placement::placed && env.send(known->pid(), message)) return true;
  }
  call.leave_executor();
  return refuse(call, env.sender(), placement::dead);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
