#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <utility>

#include "../../owned_env.hpp"
#include "../call/native_call.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where what a call takes is made, and from where it is sent: the environment of the process that
/// the calling thread runs, that of the destructor, or none on threads that are not the VM's. Where
/// there is none to be had, the courier sends. The message is what waits in the library until the
/// executor takes it.
class sending_env {
 public:
  /// `given` is what the user has: the environment of a NIF, or null.
  explicit sending_env(ErlNifEnv* given);

  [[nodiscard]] ErlNifEnv* get() const noexcept { return m_env; }
  /// What the `enif_` functions take as the environment of the calling thread.
  [[nodiscard]] ErlNifEnv* sender() const noexcept { return m_sender; }

  /// Whether the courier has to send: nothing can be sent from here, or what was deferred before is
  /// not sent yet, and would come after this.
  [[nodiscard]] bool is_deferred() const noexcept;
  /// Whether the process has been killed since, so that the VM does not take messages from it.
  [[nodiscard]] bool is_too_late() const noexcept {
    return m_process != nullptr && !may_send(m_process);
  }

  /// Gives the process that the call is made for, or 0.
  [[nodiscard]] ERL_NIF_TERM caller() const noexcept;

  /// Gives a term of the user's as one of `get()`. Where that is the message's, it has lived in
  /// another environment: that of an `owned_term`, or of a pinned call.
  [[nodiscard]] ERL_NIF_TERM take(ERL_NIF_TERM users) const noexcept {
    return m_process == nullptr ? m_message.copy(users) : users;
  }

  /// Takes a term of `get()` into the message's environment. That is never the process's: what
  /// waits for an executor outlives the NIF.
  [[nodiscard]] ERL_NIF_TERM to_message(ERL_NIF_TERM made) const noexcept {
    return m_process == nullptr ? made : m_message.copy(made);
  }
  /// Gives the environment of the message away, for good.
  [[nodiscard]] owned_env take_message() noexcept { return std::move(m_message); }

 private:
  /// The number of the last call that the courier had from here. A frame gives it one only once its
  /// process was killed, and may then go on on another thread, which finishes it.
  static std::uint64_t last_deferred() noexcept;

  /// Whether the VM takes messages from the process of an environment: on a dirty scheduler, where
  /// native code goes on after its process was killed, only before that.
  static bool may_send(ErlNifEnv* process) noexcept;

  owned_env m_message;
  ErlNifEnv* m_env = nullptr;
  ErlNifEnv* m_process = nullptr;  // of the NIF that runs here
  ErlNifEnv* m_sender = nullptr;
  bool m_is_ours = false;  // the thread
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "sending_env.ipp"  // IWYU pragma: export
#endif
