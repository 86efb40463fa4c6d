#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>

#include "../atom.hpp"
#include "frame.hpp"
#include "function_root.hpp"
#include "pinned_call.hpp"
#include "pinned_requests.hpp"
#include "shared_object.hpp"
#include "sleeper.hpp"
#include "slot.hpp"
#include "spin_policy.hpp"
#include "waitable.hpp"

// How a call waits for its slot: a frame suspends, a thread sleeps.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives `no_deadline` for a timeout that is too long for the clock.
inline clock::time_point deadline_after(std::chrono::nanoseconds timeout) noexcept {
  const clock::time_point now = clock::now();
  if (timeout >= no_deadline - now) return no_deadline;
  return now + std::max(timeout, std::chrono::nanoseconds::zero());
}

/// Releases a call when the process that it was made for dies.
class caller_watch final : public shared_object {
 public:
  explicit caller_watch(const std::shared_ptr<slot>& call) noexcept : m_call(call) {}
  void destroy() noexcept override { std::destroy_at(this); }
  void process_died(ErlNifEnv* env, const ErlNifPid&) noexcept override {
    m_call->decide(env, reply_kind::caller_gone);
  }
  ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM, ERL_NIF_TERM) noexcept override {
    return enif_make_badarg(env);
  }

 private:
  std::shared_ptr<slot> m_call;
};

/// Waits on the thread of a dirty NIF, which goes on after its process was killed.
inline void wait_in_dirty_nif(ErlNifEnv* env, const std::shared_ptr<slot>& call,
                              clock::time_point deadline) noexcept {
  // A monitor costs as much as a quick call.
  constexpr std::chrono::milliseconds before_a_monitor{1};
  if (call->wait(std::min(deadline, clock::now() + before_a_monitor), *spinning)) return;
  const auto watch = shared_ref<caller_watch>::make(monitoring_objects, call);
  ErlNifPid self;
  ErlNifMonitor monitor;
  enif_self(env, &self);
  if (enif_monitor_process(env, watch.get(), &self, &monitor) != 0) {
    call->decide(env, reply_kind::caller_gone);
    return;
  }
  call->wait(deadline, *spinning);
  enif_demonitor_process(env, watch.get(), &monitor);
}

/// A call that a suspended frame waits for.
class awaited_slot final : public waitable {
 public:
  /// Throws: `error` where another frame waits for it.
  awaited_slot(const std::shared_ptr<slot>& call, frame& by) : m_call(call), m_frame(by) {
    if (call->claim())
      raise("Elixir.RuntimeError",
            "another native call waits for this upcall::future: one at a time can have it");
    by.awaited = this;
  }
  ~awaited_slot() {
    m_frame.awaited = nullptr;
    m_call->unclaim();
  }
  bool await(ErlNifEnv* env, ERL_NIF_TERM reference) override {
    return m_call->await(env, reference);
  }
  bool withdraw() noexcept override { return m_call->withdraw(); }
  void leave() noexcept override { m_call->drop(); }

 private:
  std::shared_ptr<slot> m_call;
  frame& m_frame;
};

/// Asks Elixir to wait until the deadline for what the frame's `awaited` is.
inline ERL_NIF_TERM wait_request(frame& running, clock::time_point deadline) noexcept {
  if (deadline == no_deadline) return detail::wait_request(running, atoms::infinity.raw());
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();  // of a `receive`
  return detail::wait_request(
      running, enif_make_int64(running.env(), std::clamp<std::int64_t>(left.count(), 0, longest)));
}

inline void wait_in_frame(const std::shared_ptr<slot>& call, clock::time_point deadline) {
  frame& running = frame_for_upcall();
  if (call->done()) return;
  const awaited_slot waiting(call, running);
  running.suspend(detail::wait_request(running, deadline));
}

/// A call that the body of a pinned NIF waits for.
class awaited_reply final : public interruptible {
 public:
  explicit awaited_reply(slot& call) noexcept : m_call(call) {}
  void interrupt(ErlNifEnv* env) noexcept override { m_call.decide(env, reply_kind::caller_gone); }

 private:
  slot& m_call;
};

/// Waits until the call is decided or the deadline has come. `env` is that of a dirty NIF, else it
/// is not used. Throws: `abandoned`; `error`.
inline void wait_for(ErlNifEnv* env, const std::shared_ptr<slot>& call,
                     clock::time_point deadline) {
  if (current_frame() != nullptr) {
    wait_in_frame(call, deadline);
  } else if (env != nullptr && enif_thread_type() == ERL_NIF_THR_DIRTY_IO_SCHEDULER) {
    wait_in_dirty_nif(env, call, deadline);
  } else if (pinned_call* const call_here = current_pinned_call()) {
    awaited_reply reply(*call);
    const pinned_call::interruptible_scope scope(*call_here, reply);
    call->wait(deadline, *spinning);
  } else {
    call->wait(deadline, *spinning);
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
