#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstddef>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives its thread an alternate signal stack, unless that has one: the handler of a fault can't
/// run on a stack that is full. (erts gives its schedulers one where the JIT compiler needs it, on
/// x86-64 with glibc.) To be made and destroyed by that thread.
class alternate_stack {
 public:
  alternate_stack() noexcept {
    stack_t present{};
    if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
    m_size = std::max(std::size_t{64} * 1024, static_cast<std::size_t>(SIGSTKSZ));
    void* const memory =
        ::mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack_t ours{};
    ours.ss_sp = memory;
    ours.ss_size = m_size;
    if (sigaltstack(&ours, nullptr) == 0) {
      m_memory = memory;
    } else {
      ::munmap(memory, m_size);
    }
  }
  alternate_stack(const alternate_stack&) = delete;
  alternate_stack& operator=(const alternate_stack&) = delete;
  ~alternate_stack() {
    if (m_memory == nullptr) return;
    stack_t present{};
    if (sigaltstack(nullptr, &present) != 0) return;
    if (present.ss_sp == m_memory && (present.ss_flags & SS_DISABLE) == 0) {
      stack_t none{};
      none.ss_flags = SS_DISABLE;
      none.ss_size = m_size;  // macOS looks at it
      // Where a handler that runs on it calls `exit`, it can't be taken away.
      if (sigaltstack(&none, nullptr) != 0) return;
    }
    ::munmap(m_memory, m_size);
  }

 private:
  void* m_memory = nullptr;
  std::size_t m_size = 0;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
