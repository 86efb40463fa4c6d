#pragma once

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What is at the top of a fiber's stack.
struct stack_seat {
  void* occupant = nullptr;  ///< the frame that runs there
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
