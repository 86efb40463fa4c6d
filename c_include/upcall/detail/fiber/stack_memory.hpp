#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <limits>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How the memory below a stack is made to fault.
enum class guard_pages {
  automatic,  ///< light guards where the kernel has them, else `mprotect`
  mprotect    ///< always `mprotect`: two mappings a stack
};

/// Maps stacks, each above a guard, and counts them. What is mapped stays mapped and is used again:
/// giving back single stacks would cut the address space into more pieces than the kernel allows.
class stack_memory {
 public:
  /// A stack reaches past its end by whole frames, not by bytes, so the guard is wider than a page.
  static constexpr std::size_t guard_size = std::size_t{64} * 1024;

  /// Sets the kind of guard and the most stacks there may be (0: as many as the guards allow).
  /// Holds for what is mapped from then on.
  void configure(guard_pages guards, std::size_t most) noexcept;

  /// Maps a stack of `size` bytes, or gives `nullptr` at the cap or when the kernel has no more.
  /// `at` may be where one of that size has been unmapped.
  std::byte* map(std::size_t size, std::byte* at = nullptr) noexcept;

  /// Gives up a stack, but not its addresses: nothing else will ever be there.
  void unmap(std::byte* stack, std::size_t size) noexcept;

  /// Gives a stack's memory back to the kernel; its addresses and its guard stay.
  static void discard(std::byte* stack, std::size_t size) noexcept {
    ::madvise(stack, size, MADV_DONTNEED);
  }

  /// How much of a stack was used since it was mapped or discarded, by whole pages. What the kernel
  /// has swapped out does not count.
  static std::size_t touched(std::byte* stack, std::size_t size) noexcept;

  [[nodiscard]] std::size_t mapped() const noexcept {
    return m_mapped.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t most() const noexcept { return m_most; }
  [[nodiscard]] bool light() const noexcept { return m_light; }

 private:
#if defined(__APPLE__)
  using page_state = char;  // as mincore has it
#else
  using page_state = unsigned char;
#endif

  static constexpr int madv_guard_install = 102;  // since Linux 6.13; newer than our C library
  static constexpr std::size_t light_guard_cap = 1'000'000;

  static void tell_leak_check([[maybe_unused]] std::byte* stack, [[maybe_unused]] std::size_t size,
                              [[maybe_unused]] bool holds) noexcept;

  static void* map_pages(void* at, std::size_t size, int protection, int more) noexcept {
    return ::mmap(at, size, protection,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | more, -1, 0);
  }

  /// Counts one more, unless that is one too many.
  bool count() noexcept;

  std::byte* give_up() noexcept {
    m_mapped.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }

  [[nodiscard]] bool guard(void* memory) const noexcept {
    return m_light ? ::madvise(memory, guard_size, madv_guard_install) == 0
                   : ::mprotect(memory, guard_size, PROT_NONE) == 0;
  }

  /// Tries one: an emulator may say yes, and do nothing. The kernel can't write into a guard
  /// either, and says so where a write of ours would end the VM.
  static bool kernel_has_light_guards() noexcept;

  /// A guard made by `mprotect` splits a mapping: two a stack. The VM dies when it cannot map
  /// memory for itself, so a library takes at most a quarter of what the kernel allows a process.
  static std::size_t mapping_cap() noexcept;

  std::atomic<std::size_t> m_mapped{0};
  std::size_t m_most = std::numeric_limits<std::size_t>::max();
  bool m_light = false;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "stack_memory.ipp"  // IWYU pragma: export
#endif
