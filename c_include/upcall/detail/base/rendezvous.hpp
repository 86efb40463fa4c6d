#pragma once

#include <atomic>
#include <mutex>

#include "config.hpp"
#include "sleeper.hpp"
#include "spin_policy.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where one thread waits until another has done something, once. All else that the two share is
/// guarded by its lock.
class rendezvous {
 public:
  [[nodiscard]] std::unique_lock<std::mutex> lock() noexcept { return std::unique_lock(m_mutex); }

  /// Whether it is done. What was written before it was is to be seen. Threads: any, unlocked.
  [[nodiscard]] bool done() const noexcept { return m_done.load(std::memory_order_acquire); }

  /// Says that it is done, and releases the lock.
  void set_done(std::unique_lock<std::mutex> held) noexcept {
    sleeper* const waiter = m_sleeper;
    m_done.store(true, std::memory_order_release);
    held.unlock();
    // From here on the waiter may have freed us.
    if (waiter != nullptr) waiter->wake();
  }

  /// Waits; false when `until` came first.
  bool wait(clock::time_point until, spin_policy& policy) noexcept {
    if (!done() && !policy.spin([this] { return done(); })) sleep(until);
    // Whoever has set it done still holds the lock for an instant, which must not be freed by then.
    const std::lock_guard passed(m_mutex);
    m_sleeper = nullptr;
    return done();
  }

 private:
  void sleep(clock::time_point until) noexcept {
    sleeper* const place = sleepers->take();
    {
      const std::lock_guard held(m_mutex);
      m_sleeper = place;
    }
    place->sleep(until, [this] { return done(); });
    sleepers->give_back(place);
  }

  std::mutex m_mutex;
  sleeper* m_sleeper = nullptr;     // that waits, guarded by the lock
  std::atomic<bool> m_done{false};  // written with the lock
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
