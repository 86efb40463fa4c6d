#pragma once

#include <cstddef>

#include "../../atom.hpp"
#include "../../codec.hpp"
#include "../../error.hpp"
#include "../call/native_call.hpp"
#include "missing_codec.hpp"

namespace upcall UPCALL_HIDDEN {

UPCALL_RUNTIME void check_nesting() {
  constexpr std::ptrdiff_t margin =
      std::ptrdiff_t{32} * 1024;  // enough for a leaf, and for throwing
  const detail::native_call* const running = detail::current_call();
  // A coroutine runs on the thread's own stack, as does a pinned call.
  const bool on_own_stack = running != nullptr && running->stack_end() != nullptr;
  const std::byte* const end =
      on_own_stack ? running->stack_end() : detail::this_thread_calls().stack_end();
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  if (here - end < margin) {
    raise("Elixir.ArgumentError",
          on_own_stack ? "the term is nested too deeply for the stack of this native call; "
                         "give the NIF a larger upcall::stack_size"
                       : "the term is nested too deeply for the stack of the thread that this "
                         "native call runs on; make it one that runs on a fiber, with a larger "
                         "upcall::stack_size");
  }
}

}  // namespace UPCALL_HIDDEN
