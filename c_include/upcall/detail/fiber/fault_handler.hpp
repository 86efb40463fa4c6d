#pragma once

#include <atomic>
#include <cerrno>
#include <csignal>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What the kernel says of an access to a guard.
#if defined(__APPLE__)
inline constexpr int guard_signal = SIGBUS;
#else
inline constexpr int guard_signal = SIGSEGV;
#endif

/// Lets `Look(address)` see each memory fault of the process before what would handle it without
/// us: a handler that was there before, or the default, which ends the process. Others may be
/// installed before and after, and hand on in the same way. What runs in it must be safe in a
/// signal handler. Threads: any.
template <void (*Look)(const void* address) noexcept>
class fault_handler {
 public:
  /// Installs it, once: a second time it would hand on to itself. It stays, as others may have
  /// noted it, so its code must.
  static void install() noexcept {
    if (s_is_installed.exchange(true)) return;
    // Noted before: a fault on another thread may come at once.
    if (sigaction(guard_signal, nullptr, &s_earlier) != 0) return;
    struct sigaction ours {};
    ours.sa_sigaction = &handle;
    // What the earlier one wants blocked while it runs, it gets: we call it. Without SA_NODEFER of
    // its own a fault in a handler ends the process, as it should.
    ours.sa_mask = s_earlier.sa_mask;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (s_earlier.sa_flags & (SA_NODEFER | SA_RESTART));
    sigaction(guard_signal, &ours, &s_earlier);
  }

 private:
  static void handle(int signal, siginfo_t* info, void* context) noexcept {
    const int error_of_thread = errno;
    if (!was_sent(*info)) Look(info->si_addr);
    hand_on(signal, info, context);
    errno = error_of_thread;
  }

  /// Whether it is no fault of this thread, and has no address: `kill`, `raise`.
  static bool was_sent(const siginfo_t& info) noexcept {
    return info.si_code <= 0 || info.si_code == SI_USER || info.si_code == SI_QUEUE;
  }

  static void hand_on(int signal, siginfo_t* info, void* context) noexcept {
    if (s_earlier.sa_handler == SIG_IGN && was_sent(*info)) return;
    if (s_earlier.sa_handler == SIG_IGN || s_earlier.sa_handler == SIG_DFL || is_used_up()) {
      die(signal, *info);
    } else if ((s_earlier.sa_flags & SA_SIGINFO) != 0) {
      s_earlier.sa_sigaction(signal, info, context);
    } else {
      s_earlier.sa_handler(signal);
    }
  }

  /// Whether the earlier one was to be called once only, and has been.
  static bool is_used_up() noexcept {
    return (s_earlier.sa_flags & static_cast<int>(SA_RESETHAND)) != 0 &&
           s_was_called.exchange(true);
  }

  /// Ends the process as soon as the handler returns, by the default, which leaves a core: a fault
  /// happens again then, where it has happened.
  static void die(int signal, const siginfo_t& info) noexcept {
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(signal, &by_default, nullptr);
    if (was_sent(info)) std::raise(signal);
  }

  static inline constinit std::atomic<bool> s_is_installed{false};
  static inline constinit std::atomic<bool> s_was_called{false};
  static inline constinit struct sigaction s_earlier {};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
