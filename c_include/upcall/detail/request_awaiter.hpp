#pragma once

#include <coroutine>

#include "coroutine_frame.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What all that coroutines await have in common: a request was set, and its outcome is waited for.
class request_awaiter {
 public:
  explicit request_awaiter(coroutine_promise& caller) noexcept : m_caller(caller) {}

  void await_suspend(std::coroutine_handle<>) noexcept { running().wait_in(m_caller, nullptr); }

 protected:
  [[nodiscard]] coroutine_frame& running() const noexcept { return *m_caller.running; }
  /// The outcome, of which only a failure matters. Throws: `error`.
  void check_outcome() const { running().take_awaited(); }
  [[nodiscard]] coroutine_promise& caller() const noexcept { return m_caller; }

 private:
  coroutine_promise& m_caller;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
