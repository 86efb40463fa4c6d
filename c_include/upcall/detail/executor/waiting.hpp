#pragma once

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "../../error.hpp"
#include "../base/config.hpp"
#include "../base/sleeper.hpp"
#include "../base/spin_policy.hpp"
#include "../call/native_call.hpp"
#include "../call/waitable.hpp"
#include "slot.hpp"

// How a call waits for its slot: a frame suspends, a thread sleeps.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives `no_deadline` for a timeout that is too long for the clock.
clock::time_point deadline_after(std::chrono::nanoseconds timeout) noexcept;

/// A call of an executor that a native call waits for.
class awaited_slot final : public waitable {
 public:
  /// Throws: `error` where another native call waits for it.
  explicit awaited_slot(const std::shared_ptr<slot>& call);
  awaited_slot(const awaited_slot&) = delete;
  awaited_slot& operator=(const awaited_slot&) = delete;
  ~awaited_slot() { m_call->unclaim(); }
  bool await(ErlNifEnv* env, ERL_NIF_TERM reference) override {
    return m_call->await(env, reference);
  }
  bool withdraw() noexcept override { return m_call->withdraw(); }
  void leave() noexcept override { m_call->drop(); }
  void sleep(clock::time_point until) noexcept override { m_call->wait(until, *spinning); }
  void interrupt(ErlNifEnv* env) noexcept override { m_call->decide(env, reply_kind::caller_gone); }

 private:
  std::shared_ptr<slot> m_call;
};

/// Waits until the call is decided or the deadline has come. `env` is that of a dirty NIF, else it
/// is not used. Throws: `abandoned`; `error`.
void wait_for(ErlNifEnv* env, const std::shared_ptr<slot>& call, clock::time_point deadline);

/// How many there are; told when the library is loaded.
inline constinit std::atomic<int> dirty_io_schedulers{0};
/// How many of them wait in this library.
inline constinit std::atomic<int> dirty_io_waiting{0};

/// The right to wait on the calling thread, taken before anything is sent.
class waiting_place {
 public:
  /// Throws: `error` where waiting would block a scheduler that the VM needs; `abandoned`, so that
  /// nothing is sent which nobody waits for.
  waiting_place();
  waiting_place(const waiting_place&) = delete;
  waiting_place& operator=(const waiting_place&) = delete;
  ~waiting_place() {
    if (m_counted) dirty_io_waiting.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Whether a dirty IO scheduler stays free.
  [[nodiscard]] bool is_free() const noexcept { return m_free; }

 private:
  bool m_counted = false;
  bool m_free = true;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "waiting.ipp"  // IWYU pragma: export
#endif
