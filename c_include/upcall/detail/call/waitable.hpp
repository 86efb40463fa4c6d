#pragma once

#include <erl_nif.h>

#include "../base/config.hpp"
#include "../base/sleeper.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a native call waits for in the middle of its body: a frame in a `receive` of its process,
/// a pinned call on its thread. Lives on that body's stack.
class waitable {
 public:
  waitable() = default;
  waitable(const waitable&) = delete;
  waitable& operator=(const waitable&) = delete;

  // ---- for a frame ----

  /// Notes that the process of `env` is to get the message `{:upcall_turn, reference}` once. False
  /// when it need not wait any more, and no message will come.
  virtual bool await(ErlNifEnv* env, ERL_NIF_TERM reference) = 0;
  /// Takes that back; false when the message has been sent already.
  virtual bool withdraw() noexcept = 0;
  /// Does what the destructor would, of a frame that is parked.
  virtual void leave() noexcept = 0;

  // ---- for a pinned call ----

  /// Waits on the calling thread until it is done, is interrupted, or `until` has come.
  virtual void sleep(clock::time_point until) noexcept = 0;
  /// Lets the thread go that sleeps: its process is gone. Threads: any; `env` is that of the
  /// calling thread, null where that is not the VM's.
  virtual void interrupt(ErlNifEnv* env) noexcept = 0;

 protected:
  ~waitable() = default;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
