#pragma once

#include <erl_nif.h>

#include "../../error.hpp"
#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "call_here.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void throw_no_native_call() {
  if (this_thread_calls().destructor_env != nullptr) {
    raise("Elixir.RuntimeError",
          "an upcall was made in the destructor of a resource, where no process waits for it; in "
          "a destructor, use f.on(executor).cast(…), or try_call");
  }
  if (enif_thread_type() == ERL_NIF_THR_UNDEFINED) {
    raise("Elixir.RuntimeError",
          "an upcall was made on a thread that runs no native call of Upcall; there, call a "
          "function that is bound to an executor, f.on(executor), or declare the NIF "
          "upcall::pinned, whose threads may call its functions");
  }
  raise("Elixir.RuntimeError",
        "an upcall was made outside of a native call of Upcall; make the NIF one (UPCALL_NIF, or "
        "UPCALL_ENTRY in a table of yours), and make upcalls in its body");
}

UPCALL_RUNTIME native_call& call_or_throw() {
  native_call* const call = current_call();
  if (call == nullptr) throw_no_native_call();
  return *call;
}

UPCALL_RUNTIME native_call& running_call() {
  native_call* const running = current_call();
  if (running == nullptr || !running->may_wait_here()) throw_no_native_call();
  return *running;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
