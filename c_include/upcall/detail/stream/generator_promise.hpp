#pragma once

#include <coroutine>
#include <utility>

#include "../coroutine/request_awaiter.hpp"
#include "../coroutine/task_promise.hpp"
#include "chunk.hpp"

namespace upcall UPCALL_HIDDEN {

template <class T>
class generator;

namespace detail {

/// Waits until more is wanted, when a chunk is full.
struct chunk_operation {
  bool is_full;

  bool begin(frame& running) const {
    if (is_full) running.set_request(detail::chunk_request(running));
    return is_full;
  }
  void end(frame& running, ERL_NIF_TERM) const noexcept {
    if (is_full) running.yielded->go_on();
  }
};

template <class T>
class generator_promise final : public promise_base {
 public:
  generator_promise() noexcept {
    self = std::coroutine_handle<generator_promise>::from_promise(*this);
  }
  generator<T> get_return_object() noexcept;
  static void return_void() noexcept {}

  // Once for each value, and GCC would leave it out of line: a tenth of what a value costs.
  UPCALL_ALWAYS_INLINE operation_awaiter<chunk_operation> yield_value(T value) {
    return operation_awaiter<chunk_operation>(
        *this, static_cast<chunk<T>*>(running->yielded)->add(std::move(value)));
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
