#pragma once

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "../base/immortal.hpp"
#include "../base/sleeper.hpp"
#include "../call/counts.hpp"
#include "../call/native_call.hpp"
#include "frame.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Runs abandoned frames to their end, on threads of ours: what they do then may take long or
/// block, and no scheduler is to wait for it. One thread, the keeper, runs none: it starts the
/// others as they are needed, and sees what does not end.
class finisher {
 public:
  /// Starts the keeper, once. False when there is no thread to be had. It stays, for later there
  /// may be none when a frame is abandoned, and then nobody would try again.
  bool start() noexcept;

  /// Takes a frame that nobody will resume. Threads: any.
  void take(frame* left) noexcept {
    counts.abandoned.fetch_add(1, std::memory_order_relaxed);
    requeue(left);
  }

  /// Takes one again that was postponed.
  void requeue(frame* left) noexcept;

  /// Sees whether a pinned call comes to its end, whose body has a thread of its own. Threads: any.
  void watch(std::weak_ptr<native_call> left) noexcept;

 private:
  // Frames mostly unwind at once, so a few threads are enough. One that waits for longer than
  // `most_patient` gets another, as many again each time: all wait for less than a second, up to a
  // number that a container's limit on threads leaves room for.
  static constexpr std::size_t most_usual = 4;
  static constexpr std::size_t most_threads = 64;
  static constexpr std::chrono::milliseconds most_patient{250};
  static constexpr std::chrono::milliseconds between_looks{100};
  // What takes longer is told to the operator.
  static constexpr std::chrono::seconds long_time{1};
  // Only the keeper stays for ever: the library may be out of use.
  static constexpr std::chrono::seconds rest{5};

  struct waiting {
    frame* left;
    clock::time_point since;
  };
  /// What one thread does. Lives on its stack.
  struct work {
    nif_identity nif{};
    clock::time_point since{};
    bool needs_look = false;  // there is a frame, and it was not found to take long yet
  };
  struct watched {
    std::weak_ptr<native_call> call;
    clock::time_point since;
  };

  template <class Run>
  static bool start_thread(Run run) noexcept {
    try {
      std::thread(run).detach();
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  // ---- the keeper, with the lock ----

  void keep() noexcept;
  void wake_keeper() noexcept {
    m_keeper_rests = false;
    m_keeper_wake.notify_one();
  }

  [[nodiscard]] bool needs_look() const noexcept;

  void start_threads(std::unique_lock<std::mutex>& lock) noexcept;
  [[nodiscard]] std::size_t missing_threads() const noexcept;

  void look_at_frames() noexcept;
  void look_at_pinned(std::unique_lock<std::mutex>& lock) noexcept;

  // ---- the others ----

  void finish_frames() noexcept;

  static void finish(frame* left) noexcept;

  /// Null when the thread is to end: there was nothing to do for a while.
  frame* next_frame(std::unique_lock<std::mutex>& lock) noexcept;

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::condition_variable m_keeper_wake;
  // Lists have no memory before their first element, so that a library which the VM refuses to load
  // leaves none behind when it is closed again.
  std::list<waiting> m_waiting;  // in the order of their time
  std::list<watched> m_pinned;
  std::vector<work*> m_work;
  std::size_t m_threads = 0;
  std::size_t m_idle = 0;
  bool m_is_kept = false;
  bool m_keeper_rests = false;
};

/// The finisher of this library.
extern immortal<finisher> abandoned_frames;

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "finisher.ipp"  // IWYU pragma: export
#endif
