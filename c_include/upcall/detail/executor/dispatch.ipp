#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <memory>

#include "../../executor.hpp"
#include "../call/this_thread.hpp"
#include "courier.hpp"
#include "dispatch.hpp"
#include "executor_link.hpp"
#include "sending_env.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Decides a call that no executor takes. Gives false.
UPCALL_RUNTIME bool refuse(slot& call, ErlNifEnv* env, placement why) noexcept {
  if (why == placement::dead) call.decide(env, reply_kind::no_executor);
  if (why == placement::calling_self) call.decide(env, reply_kind::calling_self);
  if (why == placement::overloaded) call.decide(env, reply_kind::overloaded);
  return false;
}

/// Whether a call that waits stays there, though who should have been told of it could not be.
UPCALL_RUNTIME bool stays_untold(ErlNifEnv* env, executor_link& called,
                                 const wake_up& untold) noexcept {
  // A worker of a pool that has just died: others take its place. Else it is the executor itself,
  // or the process of the NIF, which can send nothing any more.
  ErlNifPid pool = called.pid();
  ErlNifPid worker = untold.worker;
  return worker.pid != pool.pid && enif_is_process_alive(env, &worker) == 0 &&
         enif_is_process_alive(env, &pool) != 0;
}

/// Gives a call to an executor: it waits in this library until that takes it. `sender` is the
/// environment of the calling thread, null where that is not the VM's.
UPCALL_RUNTIME placement place(ErlNifEnv* sender, const executor& to,
                               const std::shared_ptr<slot>& call) {
  ErlNifPid pid{};
  if (!enif_get_local_pid(detail::env_for_words(), to.raw(), &pid) &&
      !enif_whereis_pid(sender, to.raw(), &pid))
    return placement::dead;
  if (pid.pid == call->caller() && call->is_heard()) return placement::calling_self;

  const shared_ref<executor_link> called = executors->find(sender, pid);
  if (!called) return placement::dead;

  wake_up due;
  const placement found = called->queue().add(call, due);
  if (!due) return found;
  if (due.send(sender)) {
    called->queue().note_awake(due);
    return found;
  }
  called->queue().note_untold(due);
  const bool stays =
      detail::stays_untold(sender, *called, due) || !called->queue().take_back(*call);
  return stays ? found : placement::dead;
}

/// Says whether a call has been placed; the slot of one that was not says why.
UPCALL_RUNTIME bool is_placed(slot& call, ErlNifEnv* sender, placement found) noexcept {
  return found == placement::placed || detail::refuse(call, sender, found);
}

UPCALL_RUNTIME bool place_deferred(const executor& to, const std::shared_ptr<slot>& call) noexcept {
  return detail::is_placed(*call, nullptr, detail::place(nullptr, to, call));
}

/// Has the courier place a call. It is accepted here: what its executor has room for is not known.
UPCALL_RUNTIME bool defer(const sending_env& env, const executor& to,
                          const std::shared_ptr<slot>& call) noexcept {
  if (!call->promise()) return detail::refuse(*call, env.sender(), placement::overloaded);
  const std::uint64_t number = deferred_calls->take(to, call);
  if (number == 0) return detail::refuse(*call, env.sender(), placement::overloaded);
  this_thread_calls().last_deferred = number;
  return true;
}

UPCALL_RUNTIME bool dispatch(sending_env& env, const executor& to,
                             const std::shared_ptr<slot>& call, const job& work) {
  const ERL_NIF_TERM function = env.to_message(work.function);
  const ERL_NIF_TERM arguments = env.to_message(work.arguments);
  call->set_request(env.take_message(), function, arguments);
  if (env.is_deferred()) return detail::defer(env, to, call);
  const placement found = detail::place(env.sender(), to, call);
  if (found == placement::dead && env.is_too_late()) return detail::defer(env, to, call);
  return detail::is_placed(*call, env.sender(), found);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
