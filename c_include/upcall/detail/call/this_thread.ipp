#pragma once

#include <pthread.h>

#include <cstddef>

#include "../base/config.hpp"
#include "../base/of_this_thread.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void thread_calls::ask_for_stack() noexcept {
#if defined(__linux__)
  pthread_attr_t attributes;
  void* lowest = nullptr;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  pthread_attr_getstack(&attributes, &lowest, &known_stack_size);
  pthread_attr_destroy(&attributes);
  known_stack_end = static_cast<const std::byte*>(lowest);
#elif defined(__APPLE__)
  const pthread_t self = pthread_self();
  known_stack_size = pthread_get_stacksize_np(self);
  known_stack_end =
      static_cast<const std::byte*>(pthread_get_stackaddr_np(self)) - known_stack_size;
#endif
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
