#pragma once

#include <erl_nif.h>

#include "../error.hpp"
#include "pinned_call.hpp"

// The environment of the pinned call that the calling thread works for, for codecs.

namespace upcall UPCALL_HIDDEN {
namespace detail {

inline pinned_call& pinned_call_of_thread() {
  pinned_call* const call = current_pinned_call();
  if (call == nullptr)
    raise(
        "Elixir.RuntimeError",
        "no native call of Upcall runs on this thread, so that it has no terms to borrow; take an "
        "upcall::owned_term or a std::string, say");
  return *call;
}

inline ErlNifEnv* env_of_pinned_call() { return pinned_call_of_thread().env(); }
inline ERL_NIF_TERM keep_in_pinned_call(ERL_NIF_TERM raw) {
  return pinned_call_of_thread().keep(raw);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
