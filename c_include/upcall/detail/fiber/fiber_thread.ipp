#pragma once

#include <pthread.h>

#include <atomic>
#include <new>

#include "../base/config.hpp"
#include "fiber_host.hpp"
#include "fiber_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME const fiber_host* fiber_thread::here() noexcept {
  const pthread_t self = pthread_self();
  for (const fiber_thread* each = s_first.load(std::memory_order_acquire); each != nullptr;
       each = each->m_next) {
    const fiber_host* const host = each->m_host.load(std::memory_order_acquire);
    if (host != nullptr && pthread_equal(each->m_thread.load(std::memory_order_relaxed), self) != 0)
      return host;
  }
  return nullptr;
}

UPCALL_RUNTIME fiber_thread::membership::membership(const fiber_host& here) noexcept
    : m_entry(take()) {
  if (m_entry == nullptr) return;
  m_entry->m_thread.store(pthread_self(), std::memory_order_relaxed);
  m_entry->m_host.store(&here, std::memory_order_release);
}

UPCALL_RUNTIME fiber_thread::membership::~membership() {
  if (m_entry == nullptr) return;
  m_entry->m_host.store(nullptr, std::memory_order_relaxed);
  m_entry->m_is_taken.store(false, std::memory_order_release);
}

UPCALL_RUNTIME fiber_thread* fiber_thread::take() noexcept {
  for (fiber_thread* each = s_first.load(std::memory_order_acquire); each != nullptr;
       each = each->m_next) {
    if (!each->m_is_taken.exchange(true, std::memory_order_acquire)) return each;
  }
  fiber_thread* const made = new (std::nothrow) fiber_thread;
  if (made == nullptr) return nullptr;
  made->m_next = s_first.load(std::memory_order_relaxed);
  while (!s_first.compare_exchange_weak(made->m_next, made, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
  return made;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
