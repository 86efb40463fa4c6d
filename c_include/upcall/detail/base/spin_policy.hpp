#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "config.hpp"
#include "immortal.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Decides whether a thread that waits looks again and again before it sleeps. To wake a sleeping
/// thread takes microseconds, so that spinning wins where the answer comes soon and a core is free;
/// where another thread wants the core it loses, for the answer comes later. So it stops after
/// losses, for ever longer, and tries again now and then.
///
/// Threads: any. What it remembers is a matter of speed only, hence relaxed.
class spin_policy {
 public:
  /// Takes the machine's number of cores.
  spin_policy() noexcept;
  explicit spin_policy(unsigned cores) noexcept : m_most_spinners(std::max(1U, cores / 2)) {}

  /// Spins until `done()`, for a bounded time, or not at all. Gives whether it is done.
  template <class Done>
  bool spin(const Done& done) noexcept {
    if (m_to_skip.load(std::memory_order_relaxed) > 0) {
      m_to_skip.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    const place here(*this);
    if (!here.taken()) return false;
    const auto end = clock::now() + longest;
    do {
      for (int i = 0; i < looks_per_clock; ++i) {
        if (done()) {
          won();
          return true;
        }
        pause();
      }
    } while (clock::now() < end);
    lost();
    return false;
  }

 private:
  using clock = std::chrono::steady_clock;

  // What two wake-ups cost: waiting longer than that can't be won back.
  static constexpr std::chrono::microseconds longest{20};
  static constexpr int looks_per_clock = 16;
  static constexpr std::uint32_t most_skipped = 1024;

  /// One of the few places for spinners: each takes a core.
  class place {
   public:
    explicit place(spin_policy& of) noexcept
        : m_of(of),
          m_taken(of.m_spinners.fetch_add(1, std::memory_order_relaxed) < of.m_most_spinners) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { m_of.m_spinners.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] bool taken() const noexcept { return m_taken; }

   private:
    spin_policy& m_of;
    bool m_taken;
  };

  void won() noexcept {
    if (m_next_pause.load(std::memory_order_relaxed) != 1)
      m_next_pause.store(1, std::memory_order_relaxed);
  }
  void lost() noexcept {
    const std::uint32_t skipped = m_next_pause.load(std::memory_order_relaxed);
    m_to_skip.store(static_cast<std::int32_t>(skipped), std::memory_order_relaxed);
    m_next_pause.store(std::min(skipped * 2, most_skipped), std::memory_order_relaxed);
  }

  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  unsigned m_most_spinners;
  std::atomic<unsigned> m_spinners{0};
  std::atomic<std::int32_t> m_to_skip{0};      // calls that do not spin
  std::atomic<std::uint32_t> m_next_pause{1};  // how many the next loss adds
};

/// What all threads of this library spin by.
extern immortal<spin_policy> spinning;

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "spin_policy.ipp"  // IWYU pragma: export
#endif
