#pragma once

#include <cxxabi.h>

#include "../base/config.hpp"
#include "exception_globals.hpp"

// What fibers and those who run them know of each other.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What is at the top of a fiber's stack.
struct stack_seat {
  void* occupant = nullptr;  ///< what runs there
};

/// What a thread that runs fibers knows of itself. Who runs fibers may derive from it, for what
/// else a signal handler is to find.
struct fiber_host {
  abi::__cxa_eh_globals* known_exceptions = nullptr;  ///< once it has run one
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
