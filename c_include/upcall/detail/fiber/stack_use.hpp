#pragma once

#include <atomic>
#include <cstddef>

#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How deep the stacks of one NIF have been, in a list of those that are known. Threads: any.
class stack_use {
 public:
  constexpr stack_use(const char* name, int arity, bool measures) noexcept
      : m_name(name), m_arity(arity), m_measures(measures) {}

  /// Whether stacks are measured by their pages: said by the file that the NIF is in.
  [[nodiscard]] bool measures() const noexcept { return m_measures; }

  /// Notes what was in use of a stack of `size` bytes.
  void note(std::size_t depth, std::size_t size) noexcept;
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
  bool m_measures;
  std::atomic<std::size_t> m_deepest{0};
  std::atomic<bool> m_is_listed{false};
  std::size_t m_size = 0;
  stack_use* m_next = nullptr;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "stack_use.ipp"  // IWYU pragma: export
#endif
