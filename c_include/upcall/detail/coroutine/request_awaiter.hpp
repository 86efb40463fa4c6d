#pragma once

#include <coroutine>
#include <utility>

#include "../base/config.hpp"
#include "coroutine_frame.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Awaits an operation of the frame, of which there is an `Operation` for each kind:
/// `begin(frame)` sets its request, or gives false where it need not wait; `end(frame, outcome)`
/// gives what the coroutine gets, where `outcome` is what the request came to, or 0.
template <class Operation>
class operation_awaiter final {
 public:
  template <class... Parts>
  explicit operation_awaiter(coroutine_promise& by, Parts&&... parts)
      : m_caller(by), m_operation{std::forward<Parts>(parts)...} {}

  bool await_ready() {
    m_waits = m_operation.begin(*m_caller.running);
    return !m_waits;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {
    m_caller.running->wait_in(m_caller, nullptr);
  }
  decltype(auto) await_resume() {
    coroutine_frame& running = *m_caller.running;
    return m_operation.end(running, m_waits ? running.take_awaited() : 0);
  }

 private:
  coroutine_promise& m_caller;
  Operation m_operation;
  bool m_waits = false;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
