#pragma once

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "frame.hpp"
#include "immortal.hpp"
#include "resource_type.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Runs abandoned frames to their end, on threads of ours: what they do then may take long or
/// block, and no scheduler is to wait for it.
class finisher {
 public:
  /// Takes a frame that nobody will resume. Threads: any.
  void take(frame* left) noexcept {
    counts.abandoned.fetch_add(1, std::memory_order_relaxed);
    requeue(left);
  }

  /// Takes one again that was postponed.
  void requeue(frame* left) noexcept {
    const std::lock_guard lock(m_mutex);
    left->next_abandoned = nullptr;
    *m_last = left;
    m_last = &left->next_abandoned;
    ++m_queued;
    if (m_queued > m_idle && m_threads < most_threads) start_thread();
    // Under the lock: a thread that looks at the queue now can't go to sleep in between.
    m_wake.notify_one();
  }

 private:
  // A frame that blocks holds up its thread only.
  static constexpr int most_threads = 4;
  // None stays for ever: the library may be out of use.
  static constexpr std::chrono::seconds rest{5};

  void start_thread() noexcept {
    try {
      std::thread([this] { work(); }).detach();
      ++m_threads;
    } catch (const std::system_error&) {
      // None to be had now: the next frame tries again, and running ones serve the queue.
    }
  }

  void work() noexcept {
    while (frame* const left = next_frame()) {
      if (left->postpone_if_nested()) continue;  // it comes back
      left->finish(nullptr);
      counts.abandoned.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  /// Null when the thread is to end: there was nothing to do for a while.
  frame* next_frame() noexcept {
    std::unique_lock lock(m_mutex);
    ++m_idle;
    m_wake.wait_for(lock, rest, [this] { return m_first != nullptr; });
    --m_idle;
    if (m_first == nullptr) {
      --m_threads;
      return nullptr;
    }
    --m_queued;
    frame* const left = m_first;
    m_first = left->next_abandoned;
    if (m_first == nullptr) m_last = &m_first;
    return left;
  }

  std::mutex m_mutex;
  std::condition_variable m_wake;
  frame* m_first = nullptr;
  frame** m_last = &m_first;
  int m_queued = 0;
  int m_threads = 0;
  int m_idle = 0;
};

/// The finisher of this library.
inline immortal<finisher> abandoned_frames;

inline void frame::requeue(holder& postponed) noexcept {
  abandoned_frames->requeue(static_cast<frame*>(&postponed));
}

/// Elixir has let go of a frame. Threads: any scheduler, ours.
inline void destroy_frame_handle(ErlNifEnv*, void* object) noexcept {
  frame* const left = static_cast<frame_handle*>(object)->suspended;
  if (left == nullptr) return;
  left->abandon();
  abandoned_frames->take(left);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
