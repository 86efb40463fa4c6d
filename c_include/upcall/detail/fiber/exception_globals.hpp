#pragma once

#include <cxxabi.h>

#include <cstring>

#include "../base/config.hpp"

#ifdef _LIBCPP_VERSION
// libc++abi has it, and declares it in no header of its own that is installed.
namespace __cxxabiv1 {
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals* __cxa_get_globals() noexcept;
}  // namespace __cxxabiv1
#endif

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What the C++ runtime keeps per thread about exceptions: the caught ones, and how many are on
/// their way. Layout of `__cxa_eh_globals` in the Itanium C++ ABI, section 2.2.2.
struct exception_globals {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  void read(const abi::__cxa_eh_globals* of_thread) noexcept {
    std::memcpy(static_cast<void*>(this), of_thread, sizeof *this);
  }
  void write(abi::__cxa_eh_globals* of_thread) const noexcept {
    std::memcpy(static_cast<void*>(of_thread), this, sizeof *this);
  }
};

/// Gives the calling thread's state. Compilers take `__cxa_get_globals` for `const`, and would ask
/// it once on both sides of a switch, which may be on two threads.
UPCALL_NOINLINE inline abi::__cxa_eh_globals* exceptions_of_thread() noexcept {
  asm volatile("");
  return abi::__cxa_get_globals();
}

/// Puts a fiber's exception state in the place of the thread's, for as long as it lives. It lives
/// on the scheduler's side of a switch, where the thread cannot change underneath.
class exception_globals_swap {
 public:
  exception_globals_swap(exception_globals& fiber, abi::__cxa_eh_globals* of_thread) noexcept
      : m_fiber(fiber), m_thread(of_thread) {
    m_saved.read(m_thread);
    m_fiber.write(m_thread);
  }
  exception_globals_swap(const exception_globals_swap&) = delete;
  exception_globals_swap& operator=(const exception_globals_swap&) = delete;
  ~exception_globals_swap() {
    m_fiber.read(m_thread);
    m_saved.write(m_thread);
  }

 private:
  exception_globals& m_fiber;
  abi::__cxa_eh_globals* m_thread;
  exception_globals m_saved;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
