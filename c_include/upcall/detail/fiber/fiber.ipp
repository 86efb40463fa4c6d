#pragma once

#include <unistd.h>

#include <cstddef>
#include <memory>

#include "../base/config.hpp"
#include "fiber.hpp"
#include "stack_memory.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME fiber* fiber::make(std::byte* stack, std::size_t size) noexcept {
  std::byte* place = stack + size - sizeof(fiber);
  place -= reinterpret_cast<std::size_t>(place) % alignof(std::max_align_t);
  return std::construct_at(reinterpret_cast<fiber*>(place), stack, size);
}

UPCALL_RUNTIME std::size_t fiber::unused() const noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto below = static_cast<std::size_t>(static_cast<const std::byte*>(m_other) - m_stack);
  return below - below % page;
}

UPCALL_RUNTIME void fiber::note_deeper() noexcept {
  if (m_use->measures()) {
    m_use->note(stack_memory::touched(m_stack, m_size), m_size);
    return;
  }
  const auto depth = static_cast<std::size_t>(top() - static_cast<const std::byte*>(m_other));
  m_use->note(depth, m_size);
  m_mark = top() - depth;
}

UPCALL_RUNTIME void fiber::begin_measuring() noexcept {
  stack_memory::discard(m_stack, unused());
  m_mark = top();  // no context is above it
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
