#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "../../term.hpp"
#include "../base/config.hpp"
#include "../base/rendezvous.hpp"
#include "../call/counts.hpp"

// What comes of a call through an executor.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a call came to.
enum class reply_kind {
  returned,
  raised,  ///< or threw, or exited: an outcome of `Upcall.Error`
  timed_out,
  executor_down,  ///< with its exit reason
  no_executor,
  calling_self,
  overloaded,
  caller_gone
};

/// What came of a call.
struct reply {
  reply_kind kind = reply_kind::timed_out;
  bool has_begun = false;
  bool executor_has_spoken = true;   ///< of a timeout: the process has said that it is an executor
  std::shared_ptr<owned_env> env{};  ///< of the content; none where that is a word alone
  ERL_NIF_TERM content = 0;

  /// Gives an environment to read the content in. Threads: those that do.
  [[nodiscard]] ErlNifEnv* reading_env() const noexcept {
    return env != nullptr ? env->get() : env_for_words();
  }
};

/// Whether somebody takes the answer.
enum class hearing { no, yes };

/// How many calls of this library were given up before they began: whether a queue has to look for
/// those that only take room.
inline constinit std::atomic<std::uint64_t> given_up_calls{0};

/// One call of an executor: what is to be run, and the one-shot meeting place of who waits and the
/// reply. Whoever comes too late (a reply after the timeout, a timeout after the reply) finds it
/// decided. It lives as long as the caller, the queue or the link of the executor has it; nothing
/// in Elixir refers to it.
///
/// Threads: any. Its lock may be held last: nothing else is locked then.
class slot final {
 public:
  /// `caller`: the process that the call is made for, or 0.
  slot(ERL_NIF_TERM caller, hearing heard) noexcept
      : m_caller(caller), m_heard(heard == hearing::yes) {}
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;
  ~slot() = default;

  /// Takes what is to be run, in its own environment. Threads: before any other has it.
  void set_request(owned_env env, ERL_NIF_TERM function, ERL_NIF_TERM arguments) noexcept;

  /// Notes that it waits from now on, for an executor that has said that it is one, or has not.
  /// False when nobody waits for it any more.
  bool enqueue(bool executor_has_spoken) noexcept;
  /// Notes that the executor runs it from now on. False when nobody waits for it any more: then it
  /// is not to.
  bool begin() noexcept;
  /// Copies what is to be run to its executor, which has begun it: `{number, caller, function,
  /// arguments}`, see lib/upcall/executor/executor.ex.
  ERL_NIF_TERM give_request(ErlNifEnv* env, ERL_NIF_TERM number) noexcept;
  /// Gives it what its executor says that came of it, once; false when nobody took that.
  bool end(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content) noexcept;

  /// Decides it, unless it is decided: nothing is lost by trying. Gives whether it was not. `env`
  /// is that of the calling thread, null where that is not the VM's.
  bool decide(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content = 0) noexcept {
    return decide(m_meeting.lock(), env, kind, content);
  }

  /// Waits on the calling thread; false when `until` came first.
  bool wait(clock::time_point until, spin_policy& policy) noexcept {
    return m_meeting.wait(until, policy);
  }
  [[nodiscard]] bool done() const noexcept { return m_meeting.done(); }

  /// Gives up: a call that has not begun never will, and a reply is dropped. False when it is
  /// decided already.
  bool drop() noexcept;

  /// Gives the answer, once; one that says `timed_out` where there is none, and drops the call.
  reply take_or_drop() noexcept;

  /// Whether a native call waits for it already; one may.
  bool claim() noexcept { return m_is_claimed.exchange(true, std::memory_order_relaxed); }
  void unclaim() noexcept { m_is_claimed.store(false, std::memory_order_relaxed); }

  /// What a `waitable` of a frame does, see there.
  bool await(ErlNifEnv* env, ERL_NIF_TERM reference);
  bool withdraw() noexcept;

  [[nodiscard]] ERL_NIF_TERM caller() const noexcept { return m_caller; }
  [[nodiscard]] bool is_heard() const noexcept { return m_heard; }
  /// Whether it has neither begun nor been given up.
  [[nodiscard]] bool is_queued() noexcept {
    const auto held = m_meeting.lock();
    return m_phase == phase::queued;
  }
  /// Notes that it was accepted before its executor was asked, which is not to refuse it for want
  /// of room. False when as many calls as may be have been accepted like that and have not begun.
  bool promise() noexcept;
  [[nodiscard]] bool is_promised() noexcept {
    const auto held = m_meeting.lock();
    return m_promised.has_value();
  }
  /// Notes that the process which was called is an executor: it has said so.
  void set_executor_has_spoken() noexcept {
    m_executor_has_spoken.store(true, std::memory_order_relaxed);
  }

 private:
  enum class phase { made, queued, running, done, dropped };

  // With the lock.
  void leave_phase(phase next) noexcept;
  bool decide(std::unique_lock<std::mutex> held, ErlNifEnv* env, reply_kind kind,
              ERL_NIF_TERM content) noexcept;

  counted_in m_counted{counts.calls};
  std::optional<counted_in> m_promised;
  rendezvous m_meeting;  // its lock guards the rest, but for what the executor copies
  phase m_phase = phase::made;
  bool m_is_ended = false;  // by its executor, which has no use for the request any more
  std::atomic<bool> m_executor_has_spoken{false};
  std::optional<owned_env> m_request;
  ERL_NIF_TERM m_function = 0;
  ERL_NIF_TERM m_arguments = 0;
  reply m_reply;
  ErlNifPid m_waiter{};
  std::optional<owned_term> m_message;  // to a frame's process
  ERL_NIF_TERM m_caller;
  bool m_heard;
  std::atomic<bool> m_is_claimed{false};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "slot.ipp"  // IWYU pragma: export
#endif
