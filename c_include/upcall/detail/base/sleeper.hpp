#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

using clock = std::chrono::steady_clock;
inline constexpr clock::time_point no_deadline = clock::time_point::max();

/// What a thread sleeps on. It is never freed, so that it may be woken when the thread is awake
/// already and has freed all else that the two shared.
class sleeper {
 public:
  /// Sleeps until `done()`, which is true before `wake` is called, or until the time has come.
  template <class Done>
  void sleep(clock::time_point until, const Done& done) noexcept {
    std::unique_lock held(m_mutex);
    if (until == no_deadline) {  // which the clock's arithmetic would overflow at
      m_woken.wait(held, done);
    } else {
      m_woken.wait_until(held, until, done);
    }
  }

  /// Threads: any, at any time.
  void wake() noexcept {
    // Not between the sleeper's look and its sleep.
    { const std::lock_guard held(m_mutex); }
    // Without the lock, which it would only be woken to wait for.
    m_woken.notify_one();
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_woken;
};

/// The sleepers that no thread sleeps on. Threads: any.
class sleeper_pool {
 public:
  sleeper* take() {
    const std::lock_guard held(m_mutex);
    if (m_free.empty()) return std::make_unique<sleeper>().release();
    return take_last();
  }
  void give_back(sleeper* awake) {
    const std::lock_guard held(m_mutex);
    m_free.push_back(awake);
  }

 private:
  sleeper* take_last() {
    sleeper* const last = m_free.back();
    m_free.pop_back();
    return last;
  }

  std::mutex m_mutex;
  std::vector<sleeper*> m_free;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
