#pragma once

#include <erl_nif.h>

#include <optional>
#include <string>
#include <utility>

#include "../../exclusive.hpp"
#include "../../future.hpp"
#include "../../native_call.hpp"
#include "../exclusive/exclusive_base.hpp"
#include "../executor/waiting.hpp"
#include "../frame/frame_requests.hpp"
#include "../term/error_banner.hpp"
#include "request_awaiter.hpp"
#include "task_promise.hpp"

// What a coroutine can await but functions and tasks: its turn, an executor's answer, other
// processes.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Waits for the turn at an exclusive object.
template <class Exclusive>
class lock_operation {
 public:
  explicit lock_operation(Exclusive& wanted) noexcept : m_wanted(wanted) {}

  bool begin(frame& running) {
    exclusive_base& base = *m_wanted.m_base;
    native_call& here = exclusive_base::call_here();
    if (std::optional<hold> free = base.try_lock(here)) {
      m_hold.emplace(*std::move(free));
      return false;
    }
    m_turn.emplace(base, here);
    if (!base.enqueue(*m_turn)) return false;
    m_awaited.emplace(running, *m_turn);
    running.set_request(detail::wait_request(running, no_deadline));
    return true;
  }
  typename Exclusive::access end(frame&, ERL_NIF_TERM) {
    return {m_hold ? *std::move(m_hold) : m_wanted.m_base->take(*m_turn), m_wanted.m_object};
  }

 private:
  Exclusive& m_wanted;
  std::optional<hold> m_hold;
  std::optional<turn> m_turn;
  std::optional<awaited_in_frame> m_awaited;
};

template <class Exclusive>
struct awaiter_of<async_lock<Exclusive>> {
  static auto make(coroutine_promise& by, const async_lock<Exclusive>& awaited) {
    return operation_awaiter<lock_operation<Exclusive>>(by, *awaited.wanted);
  }
};

/// Waits for the answer of an executor.
template <class R>
class future_operation {
 public:
  explicit future_operation(future<R>& awaited) noexcept : m_future(awaited) {}

  bool begin(frame& running) {
    if (m_future.is_ready()) return false;
    running.check_may_await();
    m_slot.emplace(m_future.m_call);
    m_awaited.emplace(running, *m_slot);
    running.set_request(detail::wait_request(running, m_future.m_deadline));
    return true;
  }
  R end(frame&, ERL_NIF_TERM) {
    m_awaited.reset();
    m_slot.reset();
    return m_future.take().take();
  }

 private:
  future<R>& m_future;
  std::optional<awaited_slot> m_slot;
  std::optional<awaited_in_frame> m_awaited;
};

template <class R>
struct awaiter_of<future<R>> {
  static auto make(coroutine_promise& by, future<R>& awaited) {
    return operation_awaiter<future_operation<R>>(by, awaited);
  }
  static auto make(coroutine_promise& by, future<R>&& awaited) { return make(by, awaited); }
};

/// Lets other processes run, when it is time.
struct time_operation {
  static bool begin(frame& running) {
    running.await_giving_time();
    running.check_may_await();
    if (!running.slice_is_over()) return false;
    running.set_request(detail::yield_request(running));
    return true;
  }
  static void end(frame&, ERL_NIF_TERM) noexcept {}
};

template <>
struct awaiter_of<async_time> {
  static auto make(coroutine_promise& by, async_time) {
    return operation_awaiter<time_operation>(by);
  }
};

/// Asks for the text in a coroutine.
struct banner_operation {
  error failure;

  bool begin(frame& running) const {
    running.check_may_await();
    const ERL_NIF_TERM arguments = detail::banner_arguments(running.env(), failure);
    running.set_request(detail::mfa_request(running, "Elixir.Upcall.Error", "banner", arguments));
    return true;
  }
  static std::string end(frame& running, ERL_NIF_TERM text) {
    return detail::text_of_banner(running.env(), text);
  }
};

template <>
struct awaiter_of<async_banner_of> {
  static auto make(coroutine_promise& by, const async_banner_of& awaited) {
    return operation_awaiter<banner_operation>(by, awaited.failure);
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
