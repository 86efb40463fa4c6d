#pragma once

#include <atomic>
#include <cstddef>

#include "../base/config.hpp"
#include "stack_use.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void stack_use::note(std::size_t depth, std::size_t size) noexcept {
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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
