#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "config.hpp"
#include "fiber.hpp"
#include "immortal.hpp"
#include "stack_memory.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Fibers at rest, in three tiers: a few per thread (no lock), a few for all, and stacks without
/// memory.
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

  /// The fibers that rest on one thread, and the way to all others. Threads: its own.
  class thread {
   public:
    /// Takes a fiber of the class, or `nullptr` when there may be no more stacks.
    fiber* take(std::size_t stack_class) noexcept;
    /// Takes back a fiber that rests.
    void give(fiber* resting, std::size_t stack_class) noexcept;

   private:
    struct tier {
      fiber* first = nullptr;
      std::size_t count = 0;
    };
    std::array<tier, classes> m_tiers{};
  };

  // The address of a thread_local may not be remembered across a switch, and compilers do remember
  // it, even that of an accessor that is not inlined, unless they are told that it has an effect.
  UPCALL_NOINLINE static thread& this_thread() noexcept {
    static thread_local constinit thread mine;
    asm volatile("");
    return mine;
  }

  [[nodiscard]] stack_memory& memory() noexcept { return m_memory; }

 private:
  struct shared_tier {
    fiber* first = nullptr;
    std::size_t count = 0;
    std::vector<std::byte*> cold;
  };

  static constexpr std::size_t size_of(std::size_t stack_class) noexcept {
    return smallest << stack_class;
  }

  UPCALL_NOINLINE fiber* take_shared(std::size_t stack_class) noexcept {
    std::byte* stack = nullptr;
    {
      const std::lock_guard lock(m_mutex);
      shared_tier& shared = m_shared[stack_class];
      if (shared.first != nullptr) {
        --shared.count;
        return std::exchange(shared.first, shared.first->next);
      }
      if (!shared.cold.empty()) {
        stack = shared.cold.back();
        shared.cold.pop_back();
      }
    }
    if (stack == nullptr) stack = m_memory.map(size_of(stack_class));
    return stack == nullptr ? nullptr : fiber::make(stack, size_of(stack_class));
  }

  UPCALL_NOINLINE void give_shared(fiber* resting, std::size_t stack_class) noexcept {
    const std::lock_guard lock(m_mutex);
    shared_tier& shared = m_shared[stack_class];
    if (shared.count >= most_shared && grow(shared.cold)) {
      resting->retire();
      std::byte* stack = resting->stack();
      stack_memory::discard(stack, size_of(stack_class));
      shared.cold.push_back(stack);
    } else {
      resting->next = std::exchange(shared.first, resting);
      ++shared.count;
    }
  }

  /// Makes room for one more, or says that there is none: then the stack stays warm instead.
  static bool grow(std::vector<std::byte*>& list) noexcept {
    try {
      if (list.size() == list.capacity()) list.reserve(std::max<std::size_t>(64, 2 * list.size()));
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  stack_memory m_memory;
  std::mutex m_mutex;
  std::array<shared_tier, classes> m_shared;
};

/// The stacks of this library.
inline immortal<stack_pool> stacks;

inline fiber* stack_pool::thread::take(std::size_t stack_class) noexcept {
  tier& mine = m_tiers[stack_class];
  if (mine.first == nullptr) return stacks->take_shared(stack_class);
  --mine.count;
  return std::exchange(mine.first, mine.first->next);
}

inline void stack_pool::thread::give(fiber* resting, std::size_t stack_class) noexcept {
  tier& mine = m_tiers[stack_class];
  if (mine.count >= most_per_thread) return stacks->give_shared(resting, stack_class);
  resting->next = std::exchange(mine.first, resting);
  ++mine.count;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
