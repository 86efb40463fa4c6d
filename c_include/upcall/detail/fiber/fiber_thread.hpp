#pragma once

#include <cxxabi.h>
#include <pthread.h>

#include <atomic>

#include "../base/config.hpp"
#include "alternate_stack.hpp"
#include "fiber_host.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A thread that runs fibers, in a list for who may not ask for a `thread_local`, as that may need
/// memory: a signal handler. Entries are used again, and never deleted.
class fiber_thread {
 public:
  /// Gives what the calling thread knows of itself; null where it runs no fibers.
  /// Threads: any, also in a signal handler.
  static const fiber_host* here() noexcept;

  /// The calling thread's entry, as long as that lives.
  class membership {
   public:
    explicit membership(const fiber_host& here) noexcept;
    membership(const membership&) = delete;
    membership& operator=(const membership&) = delete;
    ~membership();

   private:
    alternate_stack m_signals;
    fiber_thread* m_entry;
  };

 private:
  /// Null when there is no memory: an overflow of that thread has no name then.
  static fiber_thread* take() noexcept;

  static inline constinit std::atomic<fiber_thread*> s_first{nullptr};

  std::atomic<bool> m_is_taken{true};
  std::atomic<pthread_t> m_thread{};
  std::atomic<const fiber_host*> m_host{nullptr};
  fiber_thread* m_next = nullptr;
};

UPCALL_COLD UPCALL_NOINLINE inline void begin_with_fibers(fiber_host& here) noexcept {
  static thread_local const fiber_thread::membership mine(here);
  here.known_exceptions = exceptions_of_thread();
}

/// Gives the C++ runtime's exception state of this thread, which a switch of stacks needs, without
/// asking the runtime each time. To be called before each switch to a fiber.
UPCALL_ALWAYS_INLINE abi::__cxa_eh_globals* exceptions_of(fiber_host& here) noexcept {
  if (here.known_exceptions == nullptr) begin_with_fibers(here);
  return here.known_exceptions;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "fiber_thread.ipp"  // IWYU pragma: export
#endif
