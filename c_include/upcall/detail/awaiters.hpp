#pragma once

#include <erl_nif.h>

#include <optional>
#include <type_traits>
#include <utility>

#include "../exclusive.hpp"
#include "../frame.hpp"
#include "../future.hpp"
#include "coroutine_frame.hpp"
#include "exclusive_base.hpp"
#include "frame_replies.hpp"
#include "request_awaiter.hpp"
#include "task_promise.hpp"
#include "waiting.hpp"

// What a coroutine can await but functions and tasks: its turn, an executor's answer, other
// processes.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Waits for the turn at an exclusive object.
class turn_awaiter : public request_awaiter {
 public:
  turn_awaiter(coroutine_promise& caller, exclusive_base& wanted) noexcept
      : request_awaiter(caller), m_wanted(wanted) {}
  turn_awaiter(const turn_awaiter&) = delete;
  turn_awaiter& operator=(const turn_awaiter&) = delete;
  ~turn_awaiter() {
    if (m_turn) running().awaited = nullptr;
  }

  bool await_ready() {
    holder& here = exclusive_base::holder_here();
    if (std::optional<hold> free = m_wanted.try_lock(here)) {
      m_hold.emplace(*std::move(free));
      return true;
    }
    m_turn.emplace(m_wanted, here);
    if (!m_wanted.enqueue(*m_turn)) return true;
    running().awaited = &*m_turn;
    running().set_request(detail::wait_request(running(), atoms::infinity.raw()));
    m_was_suspended = true;
    return false;
  }

 protected:
  hold take() {
    if (m_hold) return *std::move(m_hold);
    if (m_was_suspended) check_outcome();
    return m_wanted.take(*m_turn);
  }

 private:
  exclusive_base& m_wanted;
  std::optional<hold> m_hold;
  std::optional<turn> m_turn;
  bool m_was_suspended = false;
};

template <class Exclusive>
class lock_awaiter final : public turn_awaiter {
 public:
  lock_awaiter(coroutine_promise& caller, Exclusive& wanted) noexcept
      : turn_awaiter(caller, *wanted.m_base), m_object(wanted.m_object) {}
  typename Exclusive::access await_resume() { return {take(), m_object}; }

 private:
  std::remove_reference_t<decltype(*std::declval<typename Exclusive::access>())>& m_object;
};

template <class Exclusive>
struct awaiter_of<async_lock<Exclusive>> {
  static lock_awaiter<Exclusive> make(coroutine_promise& by,
                                      const async_lock<Exclusive>& awaited) noexcept {
    return {by, *awaited.wanted};
  }
};

/// Waits for the answer of an executor.
template <class R>
class future_awaiter final : public request_awaiter {
 public:
  future_awaiter(coroutine_promise& caller, future<R>& awaited) noexcept
      : request_awaiter(caller), m_future(awaited) {}

  bool await_ready() {
    if (m_future.is_ready()) return true;
    running().check_may_await();
    m_waiting.emplace(m_future.m_call, running());
    running().set_request(detail::wait_request(running(), m_future.m_deadline));
    return false;
  }
  R await_resume() {
    if (m_waiting) {
      m_waiting.reset();
      check_outcome();
    }
    if constexpr (std::is_void_v<R>) {
      m_future.take().value();
    } else {
      return m_future.take().value();
    }
  }

 private:
  future<R>& m_future;
  std::optional<awaited_slot> m_waiting;
};

template <class R>
struct awaiter_of<future<R>> {
  static future_awaiter<R> make(coroutine_promise& by, future<R>& awaited) noexcept {
    return {by, awaited};
  }
  static future_awaiter<R> make(coroutine_promise& by, future<R>&& awaited) noexcept {
    return {by, awaited};
  }
};

/// Lets other processes run, when it is time.
class yield_awaiter final : public request_awaiter {
 public:
  using request_awaiter::request_awaiter;

  bool await_ready() {
    running().await_yield();
    running().check_may_await();
    if (!running().slice_is_over()) return true;
    running().set_request(detail::yield_request(running()));
    m_was_suspended = true;
    return false;
  }
  void await_resume() const {
    if (m_was_suspended) check_outcome();
  }

 private:
  bool m_was_suspended = false;
};

template <>
struct awaiter_of<async_yield> {
  static yield_awaiter make(coroutine_promise& by, async_yield) noexcept {
    return yield_awaiter(by);
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
