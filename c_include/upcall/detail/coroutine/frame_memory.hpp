#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The memory of coroutines and their frames that ended on one thread, for the next ones there: a
/// native call has two of them, and `malloc` takes longer.
class frame_memory {
 public:
  /// Gives memory of `size` bytes; null where there is none.
  void* take(std::size_t size) noexcept {
    const std::size_t place = place_of(size);
    if (place >= m_places.size() || m_places[place].first == nullptr) return make(size);
    list& free = m_places[place];
    --free.count;
    return std::exchange(free.first, free.first->next);
  }
  void give(void* memory, std::size_t size) noexcept {
    const std::size_t place = place_of(size);
    if (place >= m_places.size() || m_places[place].count == most || !is_scheduler())
      return drop(memory);
    list& free = m_places[place];
    free.first = std::construct_at(static_cast<block*>(memory), block{free.first});
    ++free.count;
  }

 private:
  static constexpr std::size_t unit = 64;
#if defined(UPCALL_ASAN)
  static constexpr unsigned most = 0;  // so that the use of a coroutine that is gone is found
#else
  static constexpr unsigned most = 64;
#endif

  struct block {
    block* next;
  };
  struct list {
    block* first = nullptr;
    unsigned count = 0;
  };
  // Not inlined: GCC would warn that what `operator new` gave is not freed by its counterpart.
  UPCALL_NOINLINE static void* make(std::size_t size) noexcept {
    return ::operator new((place_of(size) + 1) * unit, std::nothrow);
  }
  UPCALL_NOINLINE static void drop(void* memory) noexcept { ::operator delete(memory); }

  static std::size_t place_of(std::size_t size) noexcept { return (size - 1) / unit; }

  // Schedulers never end; what other threads kept would be lost with them.
  bool is_scheduler() noexcept;

  enum class thread : unsigned char { unknown, scheduler, of_others };

  std::array<list, 16> m_places{};
  thread m_thread = thread::unknown;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "frame_memory.ipp"  // IWYU pragma: export
#endif
