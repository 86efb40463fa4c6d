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

#include "../base/config.hpp"
#include "stack_memory.hpp"

#if defined(UPCALL_ASAN)
#include <sanitizer/lsan_interface.h>
#endif

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void stack_memory::configure(guard_pages guards, std::size_t most) noexcept {
  m_light = guards == guard_pages::automatic && kernel_has_light_guards();
  const std::size_t bearable = m_light ? light_guard_cap : mapping_cap();
  m_most = most == 0 ? bearable : std::min(most, bearable);
}

UPCALL_RUNTIME std::byte* stack_memory::map(std::size_t size, std::byte* at) noexcept {
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

UPCALL_RUNTIME void stack_memory::unmap(std::byte* stack, std::size_t size) noexcept {
  tell_leak_check(stack, size, false);
  map_pages(stack - guard_size, size + guard_size, PROT_NONE, MAP_FIXED);
  give_up();
}

UPCALL_RUNTIME std::size_t stack_memory::touched(std::byte* stack, std::size_t size) noexcept {
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

UPCALL_RUNTIME void stack_memory::tell_leak_check([[maybe_unused]] std::byte* stack,
                                                  [[maybe_unused]] std::size_t size,
                                                  [[maybe_unused]] bool holds) noexcept {
#if defined(UPCALL_ASAN)
  (holds ? &__lsan_register_root_region : &__lsan_unregister_root_region)(stack, size);
#endif
}

UPCALL_RUNTIME bool stack_memory::count() noexcept {
  std::size_t mapped = m_mapped.load(std::memory_order_relaxed);
  do {
    if (mapped >= m_most) return false;
  } while (!m_mapped.compare_exchange_weak(mapped, mapped + 1, std::memory_order_relaxed));
  return true;
}

UPCALL_RUNTIME bool stack_memory::kernel_has_light_guards() noexcept {
  void* probe =
      ::mmap(nullptr, guard_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  const bool has = ::madvise(probe, guard_size, madv_guard_install) == 0 &&
                   ::uname(static_cast<utsname*>(probe)) != 0 && errno == EFAULT;
  ::munmap(probe, guard_size);
  return has;
}

UPCALL_RUNTIME std::size_t stack_memory::mapping_cap() noexcept {
  std::size_t allowed = 65'530;  // the kernel's default
  if (std::FILE* file = std::fopen("/proc/sys/vm/max_map_count", "re")) {
    if (std::fscanf(file, "%zu", &allowed) != 1) allowed = 65'530;
    std::fclose(file);
  }
  return std::max<std::size_t>(allowed / 4 / 2, 1);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
