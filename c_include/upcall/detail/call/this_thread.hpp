#pragma once

#include <erl_nif.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "../base/config.hpp"
#include "../base/of_this_thread.hpp"
#include "../fiber/fiber_host.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class native_call;

/// What a thread knows of the native calls that it runs.
struct thread_calls : fiber_host {
  native_call* current = nullptr;
  std::exception_ptr* c_failure =
      nullptr;  ///< where C callbacks leave what they catch, unless in a frame
  ErlNifEnv* destructor_env = nullptr;  ///< of the resource's destructor that it runs
  std::uint64_t last_deferred = 0;      ///< the courier's number of its last call there
  const std::byte* known_stack_end = nullptr;
  std::size_t known_stack_size = 0;
  std::uint64_t next_number = 0;

  /// The lowest address that the thread's own stack may grow to.
  const std::byte* stack_end() noexcept {
    if (known_stack_end == nullptr) ask_for_stack();
    return known_stack_end;
  }

  /// Whether `on_stack`, which is on the stack of the calling code, is on this thread's own, as far
  /// as that is known.
  [[nodiscard]] UPCALL_ALWAYS_INLINE bool is_here(const void* on_stack) const noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(on_stack);
    return here - reinterpret_cast<std::uintptr_t>(known_stack_end) < known_stack_size;
  }

  /// Gives a number that never comes again, so that a handle that outlives its call is known.
  std::uint64_t take_number() noexcept {
    static constinit std::atomic<std::uint64_t> next_block{1};
    constexpr std::uint64_t block = 4096;  // one contended addition for so many frames
    if (next_number % block == 0) {
      stack_end();
      next_number = next_block.fetch_add(1, std::memory_order_relaxed) * block;
    }
    return next_number++;
  }

 private:
  UPCALL_COLD void ask_for_stack() noexcept;
};

inline thread_calls& this_thread_calls() noexcept { return of_this_thread<thread_calls>(); }

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "this_thread.ipp"  // IWYU pragma: export
#endif
