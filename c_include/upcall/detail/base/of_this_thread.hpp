#pragma once

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives the calling thread's own `T`.
///
/// The address of a thread_local may not be remembered across a switch of fibers, which go on on
/// other threads; and compilers do remember it, even that of an accessor that is not inlined,
/// unless they are told that it has an effect.
template <class T>
UPCALL_HIDDEN UPCALL_NOINLINE T& of_this_thread() noexcept {
  static thread_local constinit T mine;
  asm volatile("");
  return mine;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
