#pragma once

#include <erl_nif.h>

#include "../atom.hpp"
#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Makes the message that a process waits for in a `receive`, by the reference that it has made for
/// that.
inline ERL_NIF_TERM turn_message(ErlNifEnv* env, ERL_NIF_TERM reference) noexcept {
  return enif_make_tuple2(env, atoms::upcall_turn.raw(), reference);
}

/// What a suspended frame waits for, in a `receive` of its process. Lives on the frame's stack.
class waitable {
 public:
  waitable() = default;
  waitable(const waitable&) = delete;
  waitable& operator=(const waitable&) = delete;

  /// Notes that the process of `env` is to get the message `{:upcall_turn, reference}` once. False
  /// when it need not wait any more, and no message will come.
  virtual bool await(ErlNifEnv* env, ERL_NIF_TERM reference) = 0;
  /// Takes that back; false when the message has been sent already.
  virtual bool withdraw() noexcept = 0;
  /// Does what the destructor would, of a frame that is parked.
  virtual void leave() noexcept = 0;

 protected:
  ~waitable() = default;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
