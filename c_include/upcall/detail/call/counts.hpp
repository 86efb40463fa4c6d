#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Counts of this library's native calls, and of its calls through executors.
struct call_counts {
  std::atomic<std::size_t> suspended{0};   ///< with a handle, abandoned ones included
  std::atomic<std::size_t> abandoned{0};   ///< waiting to be finished, or being finished
  std::atomic<std::size_t> finishing{0};   ///< of these, what our threads run now
  std::atomic<std::size_t> parked{0};      ///< will never be finished: what they hold is lost
  std::atomic<std::size_t> pinned{0};      ///< calls on threads of their own
  std::atomic<std::size_t> calls{0};       ///< slots that somebody holds
  std::atomic<std::size_t> waiting{0};     ///< calls that no executor has begun yet
  std::atomic<std::size_t> promised{0};    ///< accepted calls that have not begun: `slot::promise`
  std::atomic<std::size_t> lost_casts{0};  ///< taken, and not ended when their executor died
};
inline constinit call_counts counts;

/// Counts its owner for as long as it lives.
class counted_in {
 public:
  explicit counted_in(std::atomic<std::size_t>& count) noexcept : m_count(&count) {
    m_count->fetch_add(1, std::memory_order_relaxed);
  }
  counted_in(counted_in&& other) noexcept : m_count(std::exchange(other.m_count, nullptr)) {}
  counted_in& operator=(counted_in&& other) noexcept {
    std::swap(m_count, other.m_count);
    return *this;
  }
  counted_in(const counted_in&) = delete;
  counted_in& operator=(const counted_in&) = delete;
  ~counted_in() {
    if (m_count != nullptr) m_count->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::size_t>* m_count;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
