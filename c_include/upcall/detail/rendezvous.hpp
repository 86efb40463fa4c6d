#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "config.hpp"
#include "spin_policy.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

using clock = std::chrono::steady_clock;
inline constexpr clock::time_point no_deadline = clock::time_point::max();

/// Where one thread waits until another has done something, once. All else that the two share is
/// guarded by its lock.
class rendezvous {
 public:
  [[nodiscard]] std::unique_lock<std::mutex> lock() noexcept { return std::unique_lock(m_mutex); }

  /// Whether it is done. What was written before it was is to be seen. Threads: any, unlocked.
  [[nodiscard]] bool done() const noexcept { return m_done.load(std::memory_order_acquire); }

  /// Says with the lock that it is done.
  void set_done(const std::unique_lock<std::mutex>& /*held*/) noexcept {
    m_done.store(true, std::memory_order_release);
    // Under the lock: a woken waiter may free us.
    m_wake.notify_one();
  }

  /// Waits; false when `until` came first.
  bool wait(clock::time_point until, spin_policy& policy) noexcept {
    if (done() || (policy.spin([this] { return done(); }))) return leave();
    std::unique_lock held(m_mutex);
    if (until == no_deadline) {  // which the clock's arithmetic would overflow at
      m_wake.wait(held, [this] { return done(); });
      return true;
    }
    return m_wake.wait_until(held, until, [this] { return done(); });
  }

 private:
  // A spinner sees that it is done before the lock is released, which must not be freed by then.
  bool leave() noexcept {
    const std::lock_guard passed(m_mutex);
    return true;
  }

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::atomic<bool> m_done{false};  // written with the lock
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
