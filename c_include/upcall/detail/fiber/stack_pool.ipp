#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "../base/config.hpp"
#include "../base/immortal.hpp"
#include "fiber.hpp"
#include "stack_memory.hpp"
#include "stack_pool.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME immortal<stack_pool> stacks;

UPCALL_RUNTIME fiber* stack_pool::take_shared(std::size_t stack_class) noexcept {
  std::byte* stack = nullptr;
  {
    const std::lock_guard lock(m_mutex);
    shared_tier& shared = m_shared[stack_class];
    if (fiber* const warm = shared.pop()) return warm;
    stack = pop(shared.cold);
  }
  if (stack == nullptr) stack = m_memory.map(size_of(stack_class));
  if (stack == nullptr) return take_last(stack_class);
  return fiber::make(stack, size_of(stack_class));
}

UPCALL_RUNTIME fiber* stack_pool::take_last(std::size_t stack_class) noexcept {
  const std::lock_guard lock(m_mutex);
  gather();
  shared_tier& shared = m_shared[stack_class];
  if (fiber* const warm = shared.pop()) return warm;
  shelve_another();
  std::byte* const former = pop(shared.shelved);
  std::byte* const stack = m_memory.map(size_of(stack_class), former);
  if (stack != nullptr) return fiber::make(stack, size_of(stack_class));
  if (former != nullptr) shared.shelved.push_back(former);  // has room: it was there
  return nullptr;
}

UPCALL_RUNTIME void stack_pool::gather() noexcept {
  // All at once: one that is given and one that is taken meanwhile would both be missed.
  for (thread* each = m_threads; each != nullptr; each = each->m_next) each->lock();
  for (thread* each = m_threads; each != nullptr; each = each->m_next) {
    for (std::size_t of = 0; of < classes; ++of) {
      while (fiber* const resting = each->m_tiers[of].pop()) m_shared[of].push(resting);
    }
    each->unlock();
  }
}

UPCALL_RUNTIME void stack_pool::shelve_another() noexcept {
  for (std::size_t of = 0; of < classes; ++of) {
    shared_tier& shared = m_shared[of];
    if (!grow(shared.shelved)) continue;
    std::byte* spare = pop(shared.cold);
    if (spare == nullptr) {
      fiber* const warm = shared.pop();
      if (warm == nullptr) continue;
      warm->retire();
      spare = warm->stack();
    }
    m_memory.unmap(spare, size_of(of));
    shared.shelved.push_back(spare);
    return;
  }
}

UPCALL_RUNTIME std::byte* stack_pool::pop(std::vector<std::byte*>& list) noexcept {
  if (list.empty()) return nullptr;
  std::byte* const last = list.back();
  list.pop_back();
  return last;
}

UPCALL_RUNTIME void stack_pool::give_shared(fiber* resting, std::size_t stack_class) noexcept {
  const std::lock_guard lock(m_mutex);
  shared_tier& shared = m_shared[stack_class];
  if (shared.count >= most_shared && grow(shared.cold)) {
    resting->retire();
    std::byte* stack = resting->stack();
    stack_memory::discard(stack, size_of(stack_class));
    shared.cold.push_back(stack);
  } else {
    shared.push(resting);
  }
}

UPCALL_RUNTIME bool stack_pool::grow(std::vector<std::byte*>& list) noexcept {
  try {
    if (list.size() == list.capacity()) list.reserve(std::max<std::size_t>(64, 2 * list.size()));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Never deleted, and not in the thread's own memory: what rests there is found when the thread has
// ended, too.
UPCALL_RUNTIME stack_pool::thread& stack_pool::new_thread() noexcept {
  try {
    thread* const made = std::make_unique<thread>().release();
    const std::lock_guard lock(stacks->m_mutex);
    made->m_next = std::exchange(stacks->m_threads, made);
    return *made;
  } catch (const std::bad_alloc&) {
    return stacks->m_common;
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
