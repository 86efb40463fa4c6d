#pragma once

#include <memory>

#include "detail/call.hpp"
#include "detail/frame.hpp"

namespace upcall UPCALL_HIDDEN {

/// Is what `yield` gives: to `co_await` in a coroutine, and of no use elsewhere.
struct async_yield {};

/// Lets other processes run: at the first call in a frame, then at most every half millisecond. In
/// between it does nothing, so call it as often as convenient in code that computes for long. In a
/// coroutine: `co_await upcall::yield()`.
///
/// Threads: the frame's own; you may be on another thread afterwards. In a pinned NIF nothing waits
/// for it, and it only looks whether the caller is gone.
/// Throws: `abandoned`; `error` outside of a frame; in a coroutine, where the one before was not
/// awaited, or a codec calls it.
inline async_yield yield() {
  if (detail::pinned_call* const call_here = detail::current_pinned_call()) {
    call_here->check_not_abandoned();
    return {};
  }
  detail::frame& running = detail::running_frame();
  if (running.body() == detail::body_kind::coroutine) {
    running.note_yield();
    return {};
  }
  running.check_may_suspend();
  if (running.slice_is_over()) running.suspend(detail::yield_request(running));
  return {};
}

/// Whether nobody waits for this native call any more: its caller is gone, or who enumerated it has
/// had enough. A loop that handles each error of its own asks this, to end:
///
///     while (!upcall::is_abandoned() && run_next_command()) …
///
/// A frame is told when it goes on after an upcall; one on a dirty scheduler also while it
/// computes; a pinned NIF always, and at once.
///
/// Threads: any; false outside of a native call. A thread that a pinned body has started knows from
/// its first upcall on. Throws: nothing.
inline bool is_abandoned() noexcept {
  if (detail::frame* const running = detail::current_frame()) return running->is_left();
  const std::shared_ptr<detail::pinned_call> call = detail::pinned_call_here();
  return call != nullptr && call->is_abandoned();
}

}  // namespace UPCALL_HIDDEN
