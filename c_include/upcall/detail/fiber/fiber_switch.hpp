#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

#include "../base/config.hpp"

#if defined(UPCALL_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(UPCALL_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Switches to the context `to`, and gives the one that switched back here. `data` is what a
/// context finds when it is entered for the first time.
UPCALL_ALWAYS_INLINE boost::context::detail::fcontext_t jump(boost::context::detail::fcontext_t to,
                                                             void* data) noexcept {
#if defined(__x86_64__)
  // Boost's function leaves by a jump, so the return address that a `call` of it would note for the
  // processor is never used, and every later return is predicted to go where the one before it
  // should: a third of the time of an upcall. So it is entered by a jump, too. Below the red zone
  // and aligned, as a function expects; it keeps rbx, like every register that callees save.
  boost::context::detail::fcontext_t from;
  void* unused;
  asm volatile inline(
      "movq %%rsp, %%rbx\n\t"
      "subq $128, %%rsp\n\t"
      "andq $-16, %%rsp\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "jmp jump_fcontext@PLT\n"
      "1:\tmovq %%rbx, %%rsp"
      : "=&a"(from), "=&d"(unused), "+D"(to), "+S"(data)
      :
      : "rbx", "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
        "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
#if defined(__AVX512F__)
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",
        "k7",
#endif
        "memory", "cc");
  return from;
#else
  return boost::context::detail::jump_fcontext(to, data).fctx;
#endif
}

/// Tells the sanitizers of every switch; without them, nothing. One per fiber.
class sanitizer_fiber {
 public:
#if defined(UPCALL_ASAN)
  void before_entering(const void* bottom, std::size_t size) noexcept {
    __sanitizer_start_switch_fiber(&m_scheduler_fake, bottom, size);
  }
  void after_leaving() noexcept {
    __sanitizer_finish_switch_fiber(m_scheduler_fake, nullptr, nullptr);
  }
  void entered() noexcept {
    __sanitizer_finish_switch_fiber(m_fiber_fake, &m_scheduler_bottom, &m_scheduler_size);
  }
  void before_leaving() noexcept {
    __sanitizer_start_switch_fiber(&m_fiber_fake, m_scheduler_bottom, m_scheduler_size);
  }
  // What was never left keeps its poison otherwise, and the next fiber there would meet it.
  void retire(const void* bottom, std::size_t size) noexcept {
    __asan_unpoison_memory_region(bottom, size);
  }

 private:
  void* m_scheduler_fake = nullptr;
  void* m_fiber_fake = nullptr;
  const void* m_scheduler_bottom = nullptr;
  std::size_t m_scheduler_size = 0;
#elif defined(UPCALL_TSAN)
  void before_entering(const void*, std::size_t) noexcept {
    if (m_fiber == nullptr) m_fiber = __tsan_create_fiber(0);
    m_scheduler = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(m_fiber, 0);
  }
  void after_leaving() noexcept {}
  void entered() noexcept {}
  void before_leaving() noexcept { __tsan_switch_to_fiber(m_scheduler, 0); }
  void retire(const void*, std::size_t) noexcept {
    if (m_fiber != nullptr) __tsan_destroy_fiber(m_fiber);
    m_fiber = nullptr;
  }

 private:
  void* m_fiber = nullptr;
  void* m_scheduler = nullptr;
#else
  void before_entering(const void*, std::size_t) noexcept {}
  void after_leaving() noexcept {}
  void entered() noexcept {}
  void before_leaving() noexcept {}
  void retire(const void*, std::size_t) noexcept {}
#endif
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
