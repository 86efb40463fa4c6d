#pragma once

#include <coroutine>
#include <utility>

#include "chunk.hpp"
#include "coroutine_frame.hpp"
#include "request_awaiter.hpp"
#include "task_promise.hpp"

namespace upcall UPCALL_HIDDEN {

template <class T>
class generator;

namespace detail {

/// Waits until more is wanted, when a chunk is full.
class chunk_awaiter final : public request_awaiter {
 public:
  chunk_awaiter(coroutine_promise& by, bool is_full) noexcept
      : request_awaiter(by), m_is_full(is_full) {}

  bool await_ready() {
    if (!m_is_full) return true;
    running().set_request(detail::chunk_request(running()));
    return false;
  }
  void await_resume() const {
    if (!m_is_full) return;
    check_outcome();
    running().yielded->go_on();
  }

 private:
  bool m_is_full;
};

template <class T>
class generator_promise final : public promise_base {
 public:
  generator_promise() noexcept {
    self = std::coroutine_handle<generator_promise>::from_promise(*this);
  }
  generator<T> get_return_object() noexcept;
  static void return_void() noexcept {}

  chunk_awaiter yield_value(T value) {
    return {*this, static_cast<chunk<T>*>(running->yielded)->add(std::move(value))};
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
