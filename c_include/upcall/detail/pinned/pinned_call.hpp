#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../term.hpp"
#include "../base/rendezvous.hpp"
#include "../call/counts.hpp"
#include "../call/kept_functions.hpp"
#include "../call/native_call.hpp"
#include "../call/patience.hpp"
#include "../call/roots.hpp"
#include "../call/this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// An upcall that a thread of a pinned call makes. It lives on that thread's stack.
struct pinned_request {
  /// Of the request, and then of its outcome.
  std::shared_ptr<owned_env> env = std::make_shared<owned_env>();
  ERL_NIF_TERM what = 0;  ///< see lib/upcall/native/nif.ex
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
class pinned_call : public native_call, public std::enable_shared_from_this<pinned_call> {
 public:
  pinned_call(ErlNifEnv* env, nif_identity nif) noexcept
      : native_call({this_thread_calls().take_number()}, nullptr, nif, body_kind::pinned),
        m_start_env(env) {
    enif_self(env, &m_owner);
    set_process(m_owner);
  }
  pinned_call(const pinned_call&) = delete;
  pinned_call& operator=(const pinned_call&) = delete;
  virtual ~pinned_call() = default;

  /// Runs the body. Threads: its own.
  virtual void run() noexcept = 0;

  [[nodiscard]] const ErlNifPid& owner() const noexcept { return m_owner; }
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
  /// Waits as `ask`, and gives the value. Throws what the function did instead, too.
  ERL_NIF_TERM ask_for_value(pinned_request& request);

  [[nodiscard]] bool may_wait_here() const noexcept final {
    return enif_thread_type() == ERL_NIF_THR_UNDEFINED;
  }
  /// Throws when the process is gone.
  void check_may_wait() final;
  void check_may_await() final { check_may_wait(); }
  /// The end of the process interrupts it. Threads: the body's.
  void wait_for(waitable& awaited, clock::time_point until) final;

  named_answer call_named(const char* module, const char* function,
                          function_ref<ERL_NIF_TERM(ErlNifEnv*)> make_arguments) final;
  /// Others run anyway: looks whether the caller is gone.
  void give_time() final { check_may_wait(); }

  [[nodiscard]] ErlNifEnv* process_env() const noexcept final { return nullptr; }
  ErlNifEnv* term_env() final { return env(); }
  ERL_NIF_TERM borrow(ErlNifEnv* /*env*/, ERL_NIF_TERM raw) final { return keep(raw); }
  ERL_NIF_TERM keep(ERL_NIF_TERM raw) final {
    const std::lock_guard locked(m_mutex);
    return m_env.copy(raw);
  }

  /// While the call starts, a term of the process is taken as it is.
  root_handle add_root(ErlNifEnv* env, ERL_NIF_TERM added) final;
  void drop_root(root* dead) noexcept final;
  ERL_NIF_TERM fetch_root(const root_handle& wanted) final {
    return keep(fetch(wanted->index()).raw());
  }
  function_copy copy_of(const root_handle& used) final;
  root_handle root_of(const function_copy& copy) final;

  /// Gives what the NIF returns to raise the outcome that the process keeps at `index`, which stays
  /// there from now on.
  ERL_NIF_TERM raise_kept(std::uint32_t index) noexcept;

  /// Whether the process is gone, and the body, or a thread of it, still runs.
  [[nodiscard]] bool is_left() const noexcept final {
    const std::lock_guard locked(m_mutex);
    return m_abandoned && m_reply == 0;
  }
  void resume_finishing() noexcept final;
  [[noreturn]] UPCALL_COLD void refuse_returned(std::uint32_t index, std::string_view where,
                                                std::string_view expected, ERL_NIF_TERM got) final;
  /// Once nobody waits for the call, and C asks on for too long, the thread sleeps from then on.
  void bear_question(std::exception_ptr& failure) noexcept final;
  [[nodiscard]] ErlNifEnv* reply_env() const noexcept final { return env(); }

  /// Ends the call with what the NIF returns, a term of `env()`.
  void finish(ERL_NIF_TERM reply) noexcept;
  /// Ends it, and never gives the thread back: its stack can't be left.
  [[noreturn]] UPCALL_COLD void park(ERL_NIF_TERM reply) noexcept final;

 private:
  /// Says for its lifetime what the body waits for. Throws: `abandoned`, where that has come.
  class awaited_scope {
   public:
    awaited_scope(pinned_call& call, waitable& awaited);
    awaited_scope(const awaited_scope&) = delete;
    awaited_scope& operator=(const awaited_scope&) = delete;
    ~awaited_scope() {
      const std::lock_guard locked(m_call.m_mutex);
      m_call.m_awaited = nullptr;
    }

   private:
    pinned_call& m_call;
  };

  /// Gives the term at `index`. Throws as `ask`.
  owned_term fetch(std::uint32_t index);
  /// The process is gone, and no nested call uses what this one holds: lets the body go on.
  void release(ErlNifEnv* env) noexcept;
  /// With the lock: throws where the process is gone, or the call has ended.
  void check_goes_on() const;
  /// With the lock: tells the process, if it waits.
  void wake_process() noexcept;
  /// With the lock: lets those go that nobody will serve.
  void fail_queue() noexcept;
  /// With the lock: lets the one go that the process had.
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
  owned_env m_env;
  pinned_request* m_first = nullptr;  // those that wait for the process
  pinned_request** m_last = &m_first;
  pinned_request* m_served = nullptr;   // the one that the process has
  std::optional<owned_term> m_message;  // that the process waits for
  ERL_NIF_TERM m_reply = 0;             // of the call, once it has ended
  bool m_abandoned = false;
  waitable* m_awaited = nullptr;
  std::uint32_t m_next_root = 0;
  std::optional<std::uint32_t> m_raised;  // the root that the call ends with
  ERL_NIF_TERM m_roots = 0;               // of m_start_env
  std::unordered_map<std::uint32_t, owned_term> m_added;
  std::vector<std::uint32_t> m_dropped;
  kept_functions m_kept;
};

/// What a thread knows of the pinned call that it last made an upcall for: its own body's, or that
/// of the body which has started the thread.
struct pinned_worker {
  std::weak_ptr<pinned_call> call;
  std::uint64_t number = 0;
  int refusals = 0;  ///< of upcalls, since the call was abandoned
  patience left{};

  void work_for(pinned_call& asked) noexcept;
};

/// Calls `use` with the native call that the calling thread works for: the current one, or the
/// pinned call whose body has started the thread, once it has made an upcall. Gives whether there
/// is one.
template <class Use>
bool with_call_of_thread(const Use& use) {
  if (native_call* const running = current_call()) {
    use(*running);
    return true;
  }
  const std::shared_ptr<pinned_call> call = of_this_thread<pinned_worker>().call.lock();
  if (call == nullptr) return false;
  use(*call);
  return true;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "pinned_call.ipp"     // IWYU pragma: export
#include "pinned_replies.ipp"  // IWYU pragma: export
#endif
