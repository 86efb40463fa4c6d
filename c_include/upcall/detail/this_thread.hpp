#pragma once

#include <cxxabi.h>

#include <atomic>
#include <cstdint>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class frame;

/// What a thread knows of the frames that it runs.
struct thread_frames {
  frame* current = nullptr;
  std::uint64_t next_number = 0;
  abi::__cxa_eh_globals* known_exceptions = nullptr;

  /// The C++ runtime's exception state of this thread, without asking the runtime each time.
  abi::__cxa_eh_globals* exceptions() noexcept {
    if (known_exceptions == nullptr) known_exceptions = abi::__cxa_get_globals();
    return known_exceptions;
  }

  /// Gives a number that never comes again, so that a handle that outlives its frame is known.
  std::uint64_t take_number() noexcept {
    static constinit std::atomic<std::uint64_t> next_block{1};
    constexpr std::uint64_t block = 4096;  // one contended addition for so many frames
    if (next_number % block == 0) {
      next_number = next_block.fetch_add(1, std::memory_order_relaxed) * block;
    }
    return next_number++;
  }
};

// See `stack_pool::this_thread` for why it looks like this.
UPCALL_NOINLINE inline thread_frames& this_thread_frames() noexcept {
  static thread_local constinit thread_frames frames;
  asm volatile("");
  return frames;
}
inline frame* current_frame() noexcept { return this_thread_frames().current; }

}  // namespace detail
}  // namespace UPCALL_HIDDEN
