#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <memory>

#include "../executor.hpp"
#include "courier.hpp"
#include "executor_table.hpp"
#include "known_pool.hpp"
#include "placement.hpp"
#include "sending_env.hpp"
#include "slot.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A function, or the name of one, and its list of arguments, in the environment of a
/// `sending_env`.
struct job {
  ERL_NIF_TERM function;
  ERL_NIF_TERM arguments;
};

inline ERL_NIF_TERM make_message(const sending_env& env, slot& call, const job& work) noexcept {
  const ERL_NIF_TERM ticket =
      enif_make_tuple2(env.message(), library_module, enif_make_resource(env.message(), &call));
  const ERL_NIF_TERM caller = call.caller() == 0 ? atoms::nil.raw() : call.caller();
  return enif_make_tuple5(env.message(), atoms::upcall.raw(), ticket, caller,
                          env.to_message(work.function), env.to_message(work.arguments));
}

/// Gives a call to an executor, and sends its message, a term of `env`; gives what came of it.
/// `sender` is the environment of the calling thread, null where that is not the VM's.
inline placement place_message(ErlNifEnv* sender, const executor& to, slot& call, ErlNifEnv* env,
                               ERL_NIF_TERM message) {
  ErlNifPid pid{};
  if (!enif_get_local_pid(env, to.raw(), &pid) && !enif_whereis_pid(sender, to.raw(), &pid))
    return placement::dead;
  if (pid.pid == call.caller() && call.is_heard()) return placement::calling_self;

  const shared_ref<executor_link> known = executors->find(sender, pid);
  if (!known) return placement::dead;

  const std::shared_ptr<known_pool> pool = known->own_pool();
  const placement found =
      pool == nullptr ? call.move_to(*known) : pool->place(call, *known, message);
  if (found != placement::placed) return found;
  const shared_ref<executor_link> chosen = call.executor();
  if (!chosen) return placement::dropped;  // it has died meanwhile, and the slot knows
  if (enif_send(sender, &chosen->pid(), env, message) != 0) return found;
  // A worker that has just died, and its pool has another one, or the executor, or the process of
  // the NIF. Nobody takes the call from the list of the executor that it did not reach.
  if (chosen.get() != known.get()) {
    pool->forget_workers();
    if (call.move_to(*known) == placement::placed &&
        enif_send(sender, &known->pid(), env, message) != 0) {
      return placement::placed;
    }
  }
  call.leave_executor();
  return placement::dead;
}

/// Says whether a call has been placed; the slot of one that was not says why.
inline bool is_placed(slot& call, ErlNifEnv* sender, placement found) noexcept {
  return found == placement::placed || found == placement::waiting ||
         detail::refuse(call, sender, found);
}

inline bool dispatch_message(ErlNifEnv* sender, const executor& to, slot& call, ErlNifEnv* env,
                             ERL_NIF_TERM message) {
  return detail::is_placed(call, sender, detail::place_message(sender, to, call, env, message));
}

/// Has the courier send a call. It is accepted here: what its executor has room for is not known.
inline bool defer(const sending_env& env, const executor& to, slot& call,
                  ERL_NIF_TERM message) noexcept {
  if (!call.promise()) return detail::refuse(call, env.sender(), placement::overloaded);
  const std::uint64_t number = deferred_calls->take(to, call, message);
  if (number == 0) return detail::refuse(call, env.sender(), placement::overloaded);
  this_thread_frames().last_deferred = number;
  return true;
}

/// Sends a call to an executor. Whatever becomes of that, the slot says; gives whether it was
/// accepted.
inline bool dispatch(const sending_env& env, const executor& to, slot& call, const job& work) {
  const ERL_NIF_TERM message = detail::make_message(env, call, work);
  if (env.is_deferred()) return detail::defer(env, to, call, message);
  const placement found = detail::place_message(env.sender(), to, call, env.message(), message);
  if (found == placement::dead && env.is_too_late()) return detail::defer(env, to, call, message);
  return detail::is_placed(call, env.sender(), found);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
