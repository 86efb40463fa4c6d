#pragma once

#include <erl_nif.h>

#include <memory>

#include "../../executor.hpp"
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

/// Gives a call to an executor. Whatever becomes of it, the slot says; gives whether it was
/// accepted: then it runs, unless the executor dies.
bool dispatch(sending_env& env, const executor& to, const std::shared_ptr<slot>& call,
              const job& work);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "dispatch.ipp"  // IWYU pragma: export
#endif
