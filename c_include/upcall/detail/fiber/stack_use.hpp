#pragma once

#include <atomic>
#include <cstddef>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How deep the stacks of one NIF have been, in a list of those that are known. Threads: any.
class stack_use {
 public:
  constexpr stack_use(const char* name, int arity) noexcept : m_name(name), m_arity(arity) {}

  /// Notes what was in use of a stack of `size` bytes.
  void note(std::size_t depth, std::size_t size) noexcept {
    std::size_t known = deepest();
    while (depth > known &&
           !m_deepest.compare_exchange_weak(known, depth, std::memory_order_relaxed)) {
    }
    if (m_is_listed.exchange(true, std::memory_order_relaxed)) return;
    m_size = size;
    m_next = s_first.load(std::memory_order_relaxed);
    while (!s_first.compare_exchange_weak(m_next, this, std::memory_order_release,
                                          std::memory_order_relaxed)) {
    }
  }
  [[nodiscard]] std::size_t deepest() const noexcept {
    return m_deepest.load(std::memory_order_relaxed);
  }

  static const stack_use* first() noexcept { return s_first.load(std::memory_order_acquire); }
  [[nodiscard]] const stack_use* next() const noexcept { return m_next; }
  // Of one in the list:
  [[nodiscard]] const char* name() const noexcept { return m_name; }
  [[nodiscard]] int arity() const noexcept { return m_arity; }
  [[nodiscard]] std::size_t size() const noexcept { return m_size; }

 private:
  static inline constinit std::atomic<stack_use*> s_first{nullptr};

  const char* m_name;
  int m_arity;
  std::atomic<std::size_t> m_deepest{0};
  std::atomic<bool> m_is_listed{false};
  std::size_t m_size = 0;
  stack_use* m_next = nullptr;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
