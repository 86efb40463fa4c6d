#pragma once

#include <erl_nif.h>

#include "../error.hpp"
#include "../term.hpp"
#include "frame.hpp"
#include "pinned_call.hpp"

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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
