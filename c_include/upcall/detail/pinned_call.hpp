#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../atom.hpp"
#include "../error.hpp"
#include "../term.hpp"
#include "frame_parts.hpp"
#include "holder.hpp"
#include "kept_functions.hpp"
#include "patience.hpp"
#include "rendezvous.hpp"
#include "roots.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a thread of a pinned call waits for, other than its process.
class interruptible {
 public:
  /// Lets it go: the process is gone.
  virtual void interrupt(ErlNifEnv* env) noexcept = 0;

 protected:
  ~interruptible() = default;
};

/// An upcall that a thread of a pinned call makes. It lives on that thread's stack.
struct pinned_request {
  /// Of the request, and then of its outcome.
  std::shared_ptr<owned_env> env = std::make_shared<owned_env>();
  ERL_NIF_TERM what = 0;  ///< see lib/upcall/nif.ex
  outcome_kind kind = outcome_kind::abandoned;
  ERL_NIF_TERM outcome = 0;
  root_handle kept{};  ///< the outcome itself, where that is too large to be copied
  rendezvous meeting{};
  pinned_request* next = nullptr;
};

/// A native call whose body runs on an OS thread of its own, while the process that called serves
/// what the body, and any thread that it starts, asks for: one request after another. The process
/// waits for one message, `{:upcall_turn, reference}`, with a reference that it has made for it.
///
/// Threads: any, see each part.
class pinned_call : public holder, public std::enable_shared_from_this<pinned_call> {
 public:
  pinned_call(ErlNifEnv* env, nif_identity nif) noexcept
      : holder(this_thread_frames().take_number(), &release), m_start_env(env), m_nif(nif) {
    enif_self(env, &m_owner);
    process = m_owner.pid;
  }
  pinned_call(const pinned_call&) = delete;
  pinned_call& operator=(const pinned_call&) = delete;
  virtual ~pinned_call() = default;

  /// Runs the body. Threads: its own.
  virtual void run() noexcept = 0;

  [[nodiscard]] const ErlNifPid& owner() const noexcept { return m_owner; }
  [[nodiscard]] nif_identity nif() const noexcept { return m_nif; }
  /// Where what the call keeps lives until it ends. Threads: the body's, and those that decode.
  [[nodiscard]] ErlNifEnv* env() const noexcept { return m_env.get(); }

  // ---- for the process (NIFs) ----

  /// Ends the start: gives the roots that the arguments have made.
  ERL_NIF_TERM take_roots(ErlNifEnv* env) noexcept;
  /// Takes the outcome of the request that the process has, if there is one, and gives the next
  /// one, the end of the call, or `:waiting`: then `turn` will be sent. 0 when there is no such
  /// request.
  ERL_NIF_TERM next(ErlNifEnv* env, std::optional<outcome_kind> kind, ERL_NIF_TERM outcome,
                    ERL_NIF_TERM turn) noexcept;
  /// The process is gone.
  void abandon(ErlNifEnv* env) noexcept;

  // ---- for the body and the threads that it starts ----

  /// Waits until the process has served the request. Throws: `abandoned`; `error` when the call has
  /// ended, or on a scheduler.
  void ask(pinned_request& request);
  /// The same, and gives the value. Throws what the function did instead, too.
  ERL_NIF_TERM ask_for_value(pinned_request& request);
  /// Gives the term at `index`. Throws as `ask`.
  owned_term fetch_root(std::uint32_t index);

  /// Makes a term a root. While the call starts, that of the process is taken as it is.
  root_handle add_root(ErlNifEnv* env, ERL_NIF_TERM added);
  void drop_root(std::uint32_t index) noexcept;
  /// Gives the copy of a root of this call that outlives it. Throws as `ask`.
  function_copy copy_of(const root_handle& used);
  /// Gives the root of a function that was kept, by this call or by another.
  root_handle root_of(const function_copy& copy);

  /// Gives what the NIF returns to raise the outcome that the process keeps at `index`, which stays
  /// there from now on.
  ERL_NIF_TERM raise_kept(std::uint32_t index) noexcept {
    const std::lock_guard locked(m_mutex);
    m_raised = index;
    return enif_make_tuple2(env(), atoms::raise_kept.raw(), enif_make_uint(env(), index));
  }

  /// Copies a term to where it lives as long as the call.
  ERL_NIF_TERM keep(ERL_NIF_TERM raw) noexcept {
    const std::lock_guard locked(m_mutex);
    return m_env.copy(raw);
  }

  /// Whether the process is gone, and the body, or a thread of it, still runs.
  [[nodiscard]] bool is_abandoned() const noexcept {
    const std::lock_guard locked(m_mutex);
    return m_abandoned && m_reply == 0;
  }
  /// Throws when the process is gone.
  void check_not_abandoned();
  /// Bears with C code that asks a callback again which has failed. Once nobody waits for the call,
  /// and that goes on for too long, the thread sleeps from then on. Threads: any of the call.
  void bear_question() noexcept;

  /// Says for its lifetime what the body waits for, so that the end of the process interrupts it.
  /// Threads: the body's. Throws: `abandoned`, where that has come.
  class interruptible_scope {
   public:
    interruptible_scope(pinned_call& call, interruptible& awaited) : m_call(call) {
      call.check_not_abandoned();
      const std::lock_guard locked(call.m_mutex);
      if (call.m_abandoned) throw abandoned{};
      call.m_awaited = &awaited;
    }
    interruptible_scope(const interruptible_scope&) = delete;
    interruptible_scope& operator=(const interruptible_scope&) = delete;
    ~interruptible_scope() {
      const std::lock_guard locked(m_call.m_mutex);
      m_call.m_awaited = nullptr;
    }

   private:
    pinned_call& m_call;
  };

  /// Ends the call with what the NIF returns, a term of `env()`.
  void finish(ERL_NIF_TERM reply) noexcept;
  /// Ends it, and never gives the thread back: its stack can't be left.
  [[noreturn]] UPCALL_COLD void park(ERL_NIF_TERM reply) noexcept;

 private:
  /// The process is gone, and no nested call uses what this one holds: lets the body go on.
  static void release(holder& abandoned) noexcept;
  void release(ErlNifEnv* env) noexcept;
  /// With the lock: throws where the process is gone, or the call has ended.
  void check_goes_on() const;
  /// With the lock: tells the process, if it waits.
  void wake_process() noexcept;
  void fail_queue() noexcept;
  void fail_served() noexcept;
  /// With the lock: makes a root that is to be added.
  std::unique_ptr<root> make_root();
  /// With the lock: gives the request that the process had its outcome, and what the process is to
  /// do first; 0 for nothing.
  ERL_NIF_TERM answer_served(ErlNifEnv* env, outcome_kind kind, ERL_NIF_TERM outcome,
                             bool may_copy) noexcept;
  ERL_NIF_TERM with_changed_roots(ErlNifEnv* env, ERL_NIF_TERM request) noexcept;

  counted_in m_counted{counts.pinned};
  mutable std::mutex m_mutex;
  ErlNifEnv* m_start_env;  // of the process, while the call starts
  ErlNifPid m_owner{};
  nif_identity m_nif;
  owned_env m_env;
  pinned_request* m_first = nullptr;  // those that wait for the process
  pinned_request** m_last = &m_first;
  pinned_request* m_served = nullptr;   // the one that the process has
  std::optional<owned_term> m_message;  // that the process waits for
  ERL_NIF_TERM m_reply = 0;             // of the call, once it has ended
  bool m_abandoned = false;
  interruptible* m_awaited = nullptr;
  std::uint32_t m_next_root = 0;
  std::optional<std::uint32_t> m_raised;  // the root that the call ends with
  ERL_NIF_TERM m_roots = 0;               // of m_start_env
  std::unordered_map<std::uint32_t, owned_term> m_added;
  std::vector<std::uint32_t> m_dropped;
  kept_functions m_kept;
};

/// Says for its lifetime that the calling thread works for a pinned call.
class pinned_scope {
 public:
  explicit pinned_scope(pinned_call& call) noexcept
      : m_before(std::exchange(this_thread_frames().pinned, &call)) {}
  pinned_scope(const pinned_scope&) = delete;
  pinned_scope& operator=(const pinned_scope&) = delete;
  ~pinned_scope() { this_thread_frames().pinned = m_before; }

 private:
  pinned_call* m_before;
};

inline pinned_call* current_pinned_call() noexcept { return this_thread_frames().pinned; }

/// What a thread knows of the pinned call that it last made an upcall for: its own body's, or that
/// of the body which has started the thread.
struct pinned_worker {
  std::weak_ptr<pinned_call> call;
  std::uint64_t number = 0;
  int upcalls_when_abandoned = 0;
  patience left{};

  void work_for(pinned_call& asked) noexcept {
    if (number != asked.number()) *this = {asked.weak_from_this(), asked.number()};
  }
};

// See `stack_pool::this_thread` for why it looks like this.
UPCALL_NOINLINE inline pinned_worker& this_pinned_worker() noexcept {
  static thread_local pinned_worker worker;
  asm volatile("");
  return worker;
}

/// Gives the pinned call that the calling thread works for, if it does.
inline std::shared_ptr<pinned_call> pinned_call_here() noexcept {
  pinned_call* const own = current_pinned_call();
  return own != nullptr ? own->weak_from_this().lock() : this_pinned_worker().call.lock();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
