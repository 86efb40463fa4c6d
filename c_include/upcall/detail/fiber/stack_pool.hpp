#pragma once

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "../base/config.hpp"
#include "../base/immortal.hpp"
#include "../base/of_this_thread.hpp"
#include "fiber.hpp"
#include "stack_memory.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Fibers at rest, in three tiers: a few per thread, a few for all, and stacks without memory. Only
/// when all three are empty and there may be no more stacks do threads look at each other's.
class stack_pool {
 public:
  static constexpr std::size_t smallest = std::size_t{64} * 1024;
  static constexpr std::size_t classes = 11;  // powers of two, 64 KB to 64 MB
  static constexpr std::size_t most_per_thread = 64;
  static constexpr std::size_t most_shared = 512;

  /// The class whose stacks have at least `size` bytes; the largest one for more than that.
  static constexpr std::size_t class_of(std::size_t size) noexcept {
    if (size <= smallest) return 0;
    return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width((size - 1) / smallest)),
                                 classes - 1);
  }
  static constexpr std::size_t size_of(std::size_t stack_class) noexcept {
    return smallest << stack_class;
  }

 private:
  struct tier {
    fiber* first = nullptr;
    std::size_t count = 0;

    void push(fiber* resting) noexcept {
      resting->next = std::exchange(first, resting);
      ++count;
    }
    fiber* pop() noexcept {
      if (first == nullptr) return nullptr;
      --count;
      return std::exchange(first, first->next);
    }
  };

 public:
  /// The fibers that rest on one thread, and the way to all others. Threads: any, but meant for
  /// one, so that its lock is its own but for the rare search for the last stacks.
  class thread {
   public:
    /// Takes a fiber of the class, or `nullptr` when there may be no more stacks.
    fiber* take(std::size_t stack_class) noexcept;
    /// Takes back a fiber that rests.
    void give(fiber* resting, std::size_t stack_class) noexcept;

   private:
    friend class stack_pool;

    // Cheaper than a mutex, and held for a few instructions.
    friend class std::lock_guard<thread>;
    void lock() noexcept {
      while (m_held.exchange(true, std::memory_order_acquire)) ::sched_yield();
    }
    void unlock() noexcept { m_held.store(false, std::memory_order_release); }

    std::atomic<bool> m_held{false};
    std::array<tier, classes> m_tiers{};
    thread* m_next = nullptr;  // of the pool's list of all
  };

  static thread& this_thread() noexcept {
    place& here = of_this_thread<place>();
    if (here.mine == nullptr) here.mine = &new_thread();
    return *here.mine;
  }

  [[nodiscard]] stack_memory& memory() noexcept { return m_memory; }

 private:
  struct shared_tier : tier {
    std::vector<std::byte*> cold;
    std::vector<std::byte*> shelved;  // addresses of former stacks
  };

  struct place {
    thread* mine = nullptr;
  };

  UPCALL_COLD static thread& new_thread() noexcept;

  UPCALL_NOINLINE fiber* take_shared(std::size_t stack_class) noexcept;

  /// There may be no more stacks, but one may rest on another thread, or be of another class.
  UPCALL_COLD fiber* take_last(std::size_t stack_class) noexcept;

  /// With the lock: makes what rests on threads everybody's.
  void gather() noexcept;

  /// With the lock: gives up the memory of one that rests, of whatever class. Its addresses stay
  /// for the class, as handles to roots of its frames know where its fiber was.
  void shelve_another() noexcept;

  static std::byte* pop(std::vector<std::byte*>& list) noexcept;

  UPCALL_NOINLINE void give_shared(fiber* resting, std::size_t stack_class) noexcept;

  /// Makes room for one more, or says that there is none: then the stack stays warm instead.
  static bool grow(std::vector<std::byte*>& list) noexcept;

  stack_memory m_memory;
  std::mutex m_mutex;
  std::array<shared_tier, classes> m_shared;
  thread m_common;  // of threads for which there was no memory
  thread* m_threads = &m_common;
};

/// The stacks of this library.
extern immortal<stack_pool> stacks;

inline fiber* stack_pool::thread::take(std::size_t stack_class) noexcept {
  {
    const std::lock_guard<thread> mine(*this);
    if (fiber* const resting = m_tiers[stack_class].pop()) return resting;
  }
  return stacks->take_shared(stack_class);
}

inline void stack_pool::thread::give(fiber* resting, std::size_t stack_class) noexcept {
  {
    const std::lock_guard<thread> mine(*this);
    if (m_tiers[stack_class].count < most_per_thread) {
      m_tiers[stack_class].push(resting);
      return;
    }
  }
  stacks->give_shared(resting, stack_class);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "stack_pool.ipp"  // IWYU pragma: export
#endif
