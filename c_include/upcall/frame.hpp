#pragma once

#include <erl_nif.h>

#include "detail/call.hpp"
#include "detail/frame.hpp"

namespace upcall UPCALL_HIDDEN {

/// Lets other processes run: at the first call in a frame, then at most every half millisecond. In
/// between it does nothing, so call it as often as convenient in code that computes for long.
///
/// Threads: the frame's own; you may be on another thread afterwards. In a pinned NIF nothing waits
/// for it, and it only looks whether the caller is gone.
/// Throws: `abandoned`; `error` outside of a frame.
inline void yield() {
  if (detail::pinned_call* const call_here = detail::current_pinned_call())
    return call_here->check_not_abandoned();
  detail::frame& running = detail::frame_for_upcall();
  if (!running.slice_is_over()) return;
  running.suspend(
      enif_make_tuple2(running.env(), detail::atoms::yield.raw(), running.next_token()));
}

/// Whether the caller of this native call is gone, so that its result is wanted no more. Only
/// frames that were suspended when their caller died come to know it; pinned NIFs always do.
/// Threads: any; false outside of a native call, and on threads that a pinned body has started.
inline bool is_abandoned() noexcept {
  if (const detail::pinned_call* const call_here = detail::current_pinned_call())
    return call_here->is_abandoned();
  const detail::frame* running = detail::current_frame();
  return running != nullptr && running->is_abandoned();
}

}  // namespace UPCALL_HIDDEN
