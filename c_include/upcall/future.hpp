#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "detail/executor/remote_call.hpp"
#include "error.hpp"
#include "executor.hpp"
#include "result.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {
template <class R>
class future_operation;
}  // namespace detail

/// The answer to come of a call that an executor was sent: `executor_function::submit` makes it.
/// One that is destroyed cancels its call: where that has not begun, it never will, and its answer
/// is dropped.
///
/// In a coroutine, `co_await` gives the value: `int n = co_await on_event.submit("file.txt")`.
///
/// Threads: any, one at a time.
template <class R = owned_term>
class future {
 public:
  future(future&&) noexcept = default;
  future& operator=(future&& other) noexcept {
    cancel();
    m_call = std::move(other.m_call);
    m_asked = other.m_asked;
    m_timeout = other.m_timeout;
    m_deadline = other.m_deadline;
    return *this;
  }
  future(const future&) = delete;
  future& operator=(const future&) = delete;
  ~future() { cancel(); }

  /// Says whether the answer is there, or the call has failed. Throws: `error` after `get`.
  [[nodiscard]] bool is_ready() const { return call().done(); }

  /// Waits for the answer, `duration` at most, and says whether it is there. The call's own timeout
  /// goes on. Threads and Throws: as `get`.
  bool wait_for(std::chrono::nanoseconds duration) {
    wait_until(std::min(detail::deadline_after(duration), m_deadline));
    return is_ready();
  }

  /// Waits for the answer, until the timeout that the call was made with is over, and gives it,
  /// once. Threads: those of native code; on a fiber it suspends, and you may be on another thread
  /// afterwards; a coroutine can have only an answer that is there, else it throws: `co_await`
  /// this. Throws: `error`, as the call would have; `abandoned`.
  R get() { return wait_and_take().take(); }
  /// Waits as `get`, and gives the `error` that came in the place of a value; where it can't
  /// wait, that says so, and the answer is still to come. Throws: `abandoned`, as
  /// `executor_function::try_call`.
  result<R> try_get() {
    return detail::result_of<R>([&] { return wait_and_take(); });
  }

 private:
  template <class Signature>
  friend class executor_function;
  friend class detail::future_operation<R>;

  result<R> wait_and_take() {
    wait_until(m_deadline);
    return take();
  }
  result<R> take() {
    static_cast<void>(call());  // another frame may have taken it
    const std::shared_ptr<detail::slot> done = std::move(m_call);
    return detail::result_of_reply<R>(done->take_or_drop(), m_asked, m_timeout);
  }

  future(std::shared_ptr<detail::slot> call, const executor& asked,
         std::chrono::nanoseconds timeout) noexcept
      : m_call(std::move(call)),
        m_asked(asked),
        m_timeout(timeout),
        m_deadline(detail::deadline_after(timeout)) {}

  [[nodiscard]] detail::slot& call() const {
    if (!m_call) raise("Elixir.RuntimeError", "this upcall::future has given its answer already");
    return *m_call;
  }
  void wait_until(detail::clock::time_point deadline) {
    if (call().done()) return;
    const detail::waiting_place place;
    if (!place.is_free()) {
      throw detail::error_of_reply({detail::reply_kind::overloaded}, m_asked, m_timeout);
    }
    detail::wait_for(nullptr, m_call, deadline);
  }
  void cancel() noexcept {
    if (m_call) m_call->drop();
  }

  std::shared_ptr<detail::slot> m_call;
  executor m_asked;
  std::chrono::nanoseconds m_timeout;
  detail::clock::time_point m_deadline;
};

}  // namespace UPCALL_HIDDEN
