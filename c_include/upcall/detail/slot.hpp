#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "../term.hpp"
#include "frame_parts.hpp"
#include "rendezvous.hpp"
#include "reply.hpp"
#include "shared_object.hpp"
#include "waitable.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class executor_link;
enum class placement;

/// Whether somebody takes the answer.
enum class hearing { no, yes };

/// The one-shot meeting place of a call that waits and its reply. Whoever comes too late (a reply
/// after the timeout, a timeout after the reply) finds it decided. Counted references: it lives as
/// long as the caller, the executor's message or the executor's list has it.
///
/// Threads: any. Its lock may be held when an `executor_link` locks, never the other way round.
class slot final : public shared_object {
 public:
  /// `caller`: the process that the call is made for, or 0.
  slot(ERL_NIF_TERM caller, hearing heard) noexcept
      : m_caller(caller), m_heard(heard == hearing::yes) {}
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;
  ~slot() = default;

  void destroy() noexcept override { std::destroy_at(this); }
  void process_died(ErlNifEnv*, const ErlNifPid&) noexcept override {}

  /// What the executor says (lib/upcall/executor.ex): `:begin`, then `:returned` or `:raised`; of a
  /// pool's front, `:route`.
  ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM word, ERL_NIF_TERM content) noexcept override;

  /// Decides it, unless it is decided: nothing is lost by trying. `env` is that of the calling
  /// thread, null where that is not the VM's.
  void decide(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content = 0) noexcept {
    auto held = m_meeting.lock();
    if (m_phase == phase::queued || m_phase == phase::running)
      decide(std::move(held), env, kind, content);
  }
  /// The same, if it still is with that executor.
  void decide_if_at(const executor_link& executor, ErlNifEnv* env, reply_kind kind,
                    ERL_NIF_TERM content) noexcept {
    auto held = m_meeting.lock();
    if (m_executor.get() != &executor) return;
    if (m_phase == phase::queued || m_phase == phase::running)
      decide(std::move(held), env, kind, content);
  }

  /// Waits on the calling thread; false when `until` came first.
  bool wait(clock::time_point until, spin_policy& policy) noexcept {
    return m_meeting.wait(until, policy);
  }
  [[nodiscard]] bool done() const noexcept { return m_meeting.done(); }

  /// Gives up: a call that has not begun never will, and a reply is dropped. False when it is
  /// decided already.
  bool drop() noexcept {
    const auto held = m_meeting.lock();
    if (m_phase == phase::done) return false;
    leave_queue(phase::dropped);
    return true;
  }

  /// Gives the answer, once; one that says `timed_out` where there is none, and drops the call.
  reply take_or_drop() noexcept {
    const auto held = m_meeting.lock();
    if (m_phase != phase::done) {
      m_reply.has_begun = m_phase == phase::running;
      leave_queue(phase::dropped);
    }
    return std::exchange(m_reply, {});
  }

  /// Whether a frame waits for it already; one may.
  bool claim() noexcept { return m_is_claimed.exchange(true, std::memory_order_relaxed); }
  void unclaim() noexcept { m_is_claimed.store(false, std::memory_order_relaxed); }

  /// A frame's `waitable`, see there.
  bool await(ErlNifEnv* env, ERL_NIF_TERM reference) {
    const auto held = m_meeting.lock();
    if (m_phase == phase::done) return false;
    enif_self(env, &m_waiter);
    m_message.emplace(detail::turn_message(env, reference));
    return true;
  }
  bool withdraw() noexcept {
    const auto held = m_meeting.lock();
    if (m_phase == phase::done) return false;
    m_message.reset();
    return true;
  }

  [[nodiscard]] ERL_NIF_TERM caller() const noexcept { return m_caller; }
  [[nodiscard]] bool is_heard() const noexcept { return m_heard; }
  /// Whether it has neither begun nor been given up.
  [[nodiscard]] bool is_queued() noexcept {
    const auto held = m_meeting.lock();
    return m_phase == phase::queued;
  }

  /// Notes that it was accepted before its executor was asked, which is not to refuse it for want
  /// of room. False when as many calls as may be have been accepted like that and have not begun.
  bool promise() noexcept {
    constexpr std::size_t most = 1000;
    const auto held = m_meeting.lock();
    if (counts.promised.load(std::memory_order_relaxed) >= most) return false;
    m_promised.emplace(counts.promised);
    return true;
  }
  [[nodiscard]] bool is_promised() noexcept {
    const auto held = m_meeting.lock();
    return m_promised.has_value();
  }

  /// Gives it to an executor, and takes it from the one that has it. (placement.hpp)
  placement move_to(executor_link& executor) noexcept;
  /// Takes it from the executor that has it.
  void leave_executor() noexcept { leave_executor(m_meeting.lock()); }
  /// Gives the executor that has it, if one has.
  [[nodiscard]] shared_ref<executor_link> executor() noexcept {
    const auto held = m_meeting.lock();
    return m_executor;
  }

  // Of the list of the executor that has it, guarded by that one's lock. It is in one list at most.
  slot* next = nullptr;
  slot* previous = nullptr;

 private:
  enum class phase { queued, running, done, dropped };

  void decide(std::unique_lock<std::mutex> held, ErlNifEnv* env, reply_kind kind,
              ERL_NIF_TERM content) noexcept {
    m_reply.kind = kind;
    m_reply.has_begun = m_phase == phase::running;
    if (content != 0 && m_heard) {
      m_reply.content = content;
      // An environment that one thread makes and another frees is dear: the VM sends its memory
      // back.
      if (!is_word(content)) {
        m_reply.env = std::make_shared<owned_env>();
        m_reply.content = m_reply.env->copy(content);
      }
    }
    leave_queue(phase::done);
    if (m_message) enif_send(env, &m_waiter, nullptr, m_message->raw());
    m_meeting.set_done(std::move(held));
  }

  // With the lock.
  void leave_queue(phase next_phase) noexcept {
    m_phase = next_phase;
    m_promised.reset();
  }

  // Whether the process of `env` is the executor that has it. With the lock.
  [[nodiscard]] bool is_at_caller_of(ErlNifEnv* env) const noexcept;
  shared_ref<executor_link> leave_executor(const std::unique_lock<std::mutex>& held) noexcept;
  ERL_NIF_TERM begin(ErlNifEnv* env) noexcept;
  ERL_NIF_TERM answer(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content) noexcept;
  ERL_NIF_TERM route(ErlNifEnv* env, ERL_NIF_TERM pool) noexcept;

  counted_in m_counted{counts.calls};
  std::optional<counted_in> m_promised;
  rendezvous m_meeting;  // its lock guards the rest
  phase m_phase = phase::queued;
  bool m_answered = false;  // by its executor, which may do so once
  shared_ref<executor_link> m_executor;
  reply m_reply;
  ErlNifPid m_waiter{};
  std::optional<owned_term> m_message;  // to a frame's process
  ERL_NIF_TERM m_caller;
  bool m_heard;
  std::atomic<bool> m_is_claimed{false};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
