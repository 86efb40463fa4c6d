#pragma once

#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <limits>

#include "../base/config.hpp"

#if defined(UPCALL_ASAN)
#include <sanitizer/lsan_interface.h>
#endif

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
  void configure(guard_pages guards, std::size_t most) noexcept {
    m_light = guards == guard_pages::automatic && kernel_has_light_guards();
    const std::size_t bearable = m_light ? light_guard_cap : mapping_cap();
    m_most = most == 0 ? bearable : std::min(most, bearable);
  }

  /// Maps a stack of `size` bytes, or gives `nullptr` at the cap or when the kernel has no more.
  /// `at` may be where one of that size has been unmapped.
  std::byte* map(std::size_t size, std::byte* at = nullptr) noexcept {
    if (!count()) return nullptr;
    const std::size_t whole = size + guard_size;
    void* const memory = at == nullptr
                             ? map_pages(nullptr, whole, PROT_READ | PROT_WRITE, 0)
                             : map_pages(at - guard_size, whole, PROT_READ | PROT_WRITE, MAP_FIXED);
    if (memory == MAP_FAILED) return give_up();
    // A huge page would make each stack cost 2 MB. Kernels without them refuse: nothing to prevent.
    ::madvise(memory, whole, MADV_NOHUGEPAGE);
    std::byte* const stack = static_cast<std::byte*>(memory) + guard_size;
    if (!guard(memory)) {
      if (at == nullptr) {
        ::munmap(memory, whole);
      } else {
        map_pages(memory, whole, PROT_NONE, MAP_FIXED);
      }
      return give_up();
    }
    // What a suspended call holds, or a lost one, is no leak.
    tell_leak_check(stack, size, true);
    return stack;
  }

  /// Gives up a stack, but not its addresses: nothing else will ever be there.
  void unmap(std::byte* stack, std::size_t size) noexcept {
    tell_leak_check(stack, size, false);
    map_pages(stack - guard_size, size + guard_size, PROT_NONE, MAP_FIXED);
    give_up();
  }

  /// Gives a stack's memory back to the kernel; its addresses and its guard stay.
  static void discard(std::byte* stack, std::size_t size) noexcept {
    ::madvise(stack, size, MADV_DONTNEED);
  }

  /// How much of a stack was used since it was mapped or discarded, by whole pages. What the kernel
  /// has swapped out does not count.
  static std::size_t touched(std::byte* stack, std::size_t size) noexcept {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::array<page_state, 1024> states{};
    std::byte* const end = stack + size;
    for (std::byte* at = stack; at < end; at += states.size() * page) {
      const std::size_t pages = std::min(states.size(), static_cast<std::size_t>(end - at) / page);
      if (::mincore(at, pages * page, states.data()) != 0) return size;
      for (std::size_t i = 0; i < pages; ++i) {
        if ((states[i] & 1) != 0) return static_cast<std::size_t>(end - at) - i * page;
      }
    }
    return 0;
  }

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
                              [[maybe_unused]] bool holds) noexcept {
#if defined(UPCALL_ASAN)
    (holds ? &__lsan_register_root_region : &__lsan_unregister_root_region)(stack, size);
#endif
  }

  static void* map_pages(void* at, std::size_t size, int protection, int more) noexcept {
    return ::mmap(at, size, protection,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | more, -1, 0);
  }

  /// Counts one more, unless that is one too many.
  bool count() noexcept {
    std::size_t mapped = m_mapped.load(std::memory_order_relaxed);
    do {
      if (mapped >= m_most) return false;
    } while (!m_mapped.compare_exchange_weak(mapped, mapped + 1, std::memory_order_relaxed));
    return true;
  }

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
  static bool kernel_has_light_guards() noexcept {
    void* probe =
        ::mmap(nullptr, guard_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED) return false;
    const bool has = ::madvise(probe, guard_size, madv_guard_install) == 0 &&
                     ::uname(static_cast<utsname*>(probe)) != 0 && errno == EFAULT;
    ::munmap(probe, guard_size);
    return has;
  }

  /// A guard made by `mprotect` splits a mapping: two a stack. The VM dies when it cannot map
  /// memory for itself, so a library takes at most a quarter of what the kernel allows a process.
  static std::size_t mapping_cap() noexcept {
    std::size_t allowed = 65'530;  // the kernel's default
    if (std::FILE* file = std::fopen("/proc/sys/vm/max_map_count", "re")) {
      if (std::fscanf(file, "%zu", &allowed) != 1) allowed = 65'530;
      std::fclose(file);
    }
    return std::max<std::size_t>(allowed / 4 / 2, 1);
  }

  std::atomic<std::size_t> m_mapped{0};
  std::size_t m_most = std::numeric_limits<std::size_t>::max();
  bool m_light = false;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
