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
  void set_done(std::unique_lock<std::mutex> held) noexcept;

  /// Waits; false when `until` came first.
  bool wait(clock::time_point until, spin_policy& policy) noexcept;

 private:
  void sleep(clock::time_point until) noexcept;

  std::mutex m_mutex;
  sleeper* m_sleeper = nullptr;     // that waits, guarded by the lock
  std::atomic<bool> m_done{false};  // written with the lock
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "rendezvous.ipp"  // IWYU pragma: export
#endif
