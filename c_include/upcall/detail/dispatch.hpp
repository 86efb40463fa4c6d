#pragma once

#include <erl_nif.h>

#include <memory>

#include "../error.hpp"
#include "../executor.hpp"
#include "../term.hpp"
#include "executor_table.hpp"
#include "frame.hpp"
#include "known_pool.hpp"
#include "pinned_call.hpp"
#include "placement.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where what a call takes is made, and from where it is sent: the environment of the process that
/// the calling thread runs, or that of the message on threads that are not the VM's.
class sending_env {
 public:
  /// `given` is what the user has: the environment of a NIF, or null. Throws: `error` on a
  /// scheduler without one.
  explicit sending_env(ErlNifEnv* given) {
    const frame* running = current_frame();
    if (running != nullptr && running->env() != nullptr) {
      m_env = m_sender = running->env();
    } else if (enif_thread_type() == ERL_NIF_THR_UNDEFINED) {
      m_env = m_message.get();
    } else if (given != nullptr) {
      m_env = m_sender = given;
    } else {
      raise("Elixir.RuntimeError",
            "an executor was called on a scheduler, outside of a frame and without an environment; "
            "use upcall::apply(env, …) there");
    }
  }

  [[nodiscard]] ErlNifEnv* get() const noexcept { return m_env; }
  /// What the `enif_` functions take as the environment of the calling thread.
  [[nodiscard]] ErlNifEnv* sender() const noexcept { return m_sender; }

  /// Gives the process that the call is made for, or 0.
  [[nodiscard]] ERL_NIF_TERM caller() const noexcept {
    if (const pinned_call* const call_here = current_pinned_call()) return call_here->owner().pid;
    ErlNifPid self;
    if (m_sender == nullptr || enif_self(m_sender, &self) == nullptr) return 0;
    return self.pid;
  }

  /// Gives a term of the user's as one of `get()`. Where that is the message's, it has lived in
  /// another environment: that of an `owned_term`, or of a pinned call.
  [[nodiscard]] ERL_NIF_TERM take(ERL_NIF_TERM users) const noexcept {
    return m_sender == nullptr ? m_message.copy(users) : users;
  }

  /// Gives the environment of the message. It is never the process's: that would keep the slot
  /// until its next collection, and each slot that a dirty scheduler has made wakes a thread of the
  /// VM's then.
  [[nodiscard]] ErlNifEnv* message() const noexcept { return m_message.get(); }
  /// Takes a term of `get()` into the message.
  [[nodiscard]] ERL_NIF_TERM to_message(ERL_NIF_TERM made) const noexcept {
    return m_sender == nullptr ? made : m_message.copy(made);
  }
  bool send(const ErlNifPid& receiver, ERL_NIF_TERM message) const noexcept {
    return enif_send(m_sender, &receiver, m_message.get(), message) != 0;
  }

 private:
  owned_env m_message;
  ErlNifEnv* m_env = nullptr;
  ErlNifEnv* m_sender = nullptr;
};

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
