#pragma once

#include "detail/base/config.hpp"
#include "detail/pinned/pinned_call.hpp"
#include "detail/term/call_here.hpp"

namespace upcall UPCALL_HIDDEN {

/// Is what `give_time` gives: to `co_await` in a coroutine, and of no use elsewhere.
struct async_time {};

/// Lets other processes run: at the first call in a frame, then at most every half millisecond. In
/// between it does nothing, so call it as often as convenient in code that computes for long. In a
/// coroutine: `co_await upcall::give_time()`.
///
/// Threads: the frame's own; you may be on another thread afterwards. In a pinned NIF nothing waits
/// for it, and it only looks whether the caller is gone.
/// Throws: `abandoned`; `error` outside of a frame; in a coroutine, where the one before was not
/// awaited, or a codec calls it.
inline async_time give_time() {
  detail::call_or_throw().give_time();
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
  bool is_left = false;
  detail::with_call_of_thread(
      [&](const detail::native_call& running) { is_left = running.is_left(); });
  return is_left;
}

}  // namespace UPCALL_HIDDEN
