#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/config.hpp"
#include "../base/function_ref.hpp"
#include "../base/sleeper.hpp"
#include "roots.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {

class owned_env;
class owned_term;

namespace detail {

class native_call;
class stack_use;
class waitable;

/// What a native call runs as.
enum class body_kind : unsigned char {
  fiber,      ///< code on a stack of its own
  coroutine,  ///< a coroutine, on the stack of who resumes it
  pinned      ///< code on an OS thread of its own, which is never suspended
};

/// What a NIF is called, for errors, and what its options say to its calls.
struct nif_identity {
  const char* name;
  int arity;
  unsigned dirty;          ///< erl_nif's flag for the schedulers that run it, 0 for normal ones
  std::size_t chunk_size;  ///< how many values it yields at once, at most
  stack_use* stack;        ///< how deep its fibers' stacks have been
};

/// What an upcall came to; `failed` in C++, which could not take what was returned.
enum class outcome_kind { returned, raised, abandoned, failed };

/// A step of a native call, as borrowed terms know it: they are valid until the next.
struct step_mark {
  std::uint64_t call = 0;
  std::uint32_t step = 0;
  bool operator==(const step_mark&) const = default;
};

/// A copy of a function that outlives the native call it was passed to.
using function_copy = std::shared_ptr<const owned_term>;

/// What a named function gave: a term of `env`, for as long as the answer lives.
struct named_answer {
  ErlNifEnv* env;
  ERL_NIF_TERM value;
  std::shared_ptr<owned_env> kept{};
};

/// What a native call may have for itself, and gives up when it ends: an `exclusive` object.
class held_object {
 public:
  held_object() = default;
  held_object(const held_object&) = delete;
  held_object& operator=(const held_object&) = delete;

  /// Gives up the newest right to it that the call of that number has.
  virtual void release(std::uint64_t number) noexcept = 0;
  /// `parked`, which has it, will never go on: nobody may use it any more.
  virtual void lose(native_call& parked) noexcept = 0;
  /// Whether a call nested in `left`, which was abandoned, still has it. That one's end then tells
  /// `left` to `resume_finishing`.
  virtual bool postpone_if_nested(native_call& left) noexcept = 0;

 protected:
  ~held_object() = default;
};

/// What native code runs in from its NIF's start to its end: what fibers, coroutines and pinned
/// calls have in common. Code that asks "what runs here" asks `current_call`, and need not know
/// which of them it is.
///
/// Threads: those that run its body, unless a function says more.
class native_call {
 public:
  native_call(const native_call&) = delete;
  native_call& operator=(const native_call&) = delete;

  /// Gives a number that never comes again.
  [[nodiscard]] std::uint64_t number() const noexcept { return m_place.number; }
  [[nodiscard]] body_kind body() const noexcept { return m_body; }
  /// Whether its body runs on one thread from its start to its end.
  [[nodiscard]] bool stays_on_thread() const noexcept { return m_body == body_kind::pinned; }
  [[nodiscard]] nif_identity nif() const noexcept { return m_nif; }
  [[nodiscard]] step_mark mark() const noexcept { return {number(), m_step_number}; }
  /// Gives the lowest address that the body's stack may grow to; null where it has none of its own.
  [[nodiscard]] const std::byte* stack_end() const noexcept { return m_stack_end; }
  /// Gives how far that is from its top.
  [[nodiscard]] std::size_t stack_size() const noexcept { return m_place.stack_size; }

  // ---- what its body may do ----

  /// Whether it may wait at all where the calling code runs: not while its arguments are decoded on
  /// a scheduler.
  [[nodiscard]] virtual bool may_wait_here() const noexcept = 0;
  /// Throws unless the calling code may wait, in the middle of an expression. Throws: `error`;
  /// `abandoned`.
  virtual void check_may_wait() = 0;
  /// Throws unless the calling code may wait in the way of its body: a coroutine awaits. Throws: as
  /// `check_may_wait`.
  virtual void check_may_await() = 0;
  /// Waits until `awaited` is done, or `until` has come. Only where `check_may_wait` has passed.
  /// Throws: `abandoned`.
  virtual void wait_for(waitable& awaited, clock::time_point until) = 0;

  /// Calls a named function with the list of arguments that `make_arguments` makes, and waits.
  /// Throws: `error`; `abandoned`.
  virtual named_answer call_named(const char* module, const char* function,
                                  function_ref<ERL_NIF_TERM(ErlNifEnv*)> make_arguments) = 0;
  /// Lets others run, where it is time. Throws: `error`; `abandoned`.
  virtual void give_time() = 0;

  // ---- its terms ----

  /// Gives the environment of its process, where the calling code runs in that; else null.
  [[nodiscard]] virtual ErlNifEnv* process_env() const noexcept = 0;
  /// Gives the environment that terms of its body live in, for code of the user's.
  virtual ErlNifEnv* term_env() = 0;
  /// Gives a term of `env` as one of `term_env()`.
  virtual ERL_NIF_TERM borrow(ErlNifEnv* env, ERL_NIF_TERM raw) = 0;
  /// Gives a copy that neither moves nor dies before the call ends.
  virtual ERL_NIF_TERM keep(ERL_NIF_TERM raw) = 0;

  // ---- its roots ----

  /// Makes a term of `env` a root. Throws: `abandoned`.
  virtual root_handle add_root(ErlNifEnv* env, ERL_NIF_TERM added) = 0;
  /// Lets go of a root that has no handle any more. Threads: of a pinned call, any.
  virtual void drop_root(root* dead) noexcept = 0;
  /// Gives the term, as one of `term_env()`. Throws: `abandoned`; `error`.
  virtual ERL_NIF_TERM fetch_root(const root_handle& wanted) = 0;
  /// Finds or makes the copy of a root that outlives the call. Throws: as `fetch_root`.
  virtual function_copy copy_of(const root_handle& used) = 0;
  /// Finds or makes the root of a function that was kept, by this call or by another. Throws:
  /// `error`; `abandoned`.
  virtual root_handle root_of(const function_copy& copy) = 0;

  // ---- what goes wrong ----

  /// Whether nobody waits for it any more, as far as it can be known now.
  [[nodiscard]] virtual bool is_left() const noexcept = 0;
  /// Throws, as an Elixir exception, that the function at `index` returned something else: only its
  /// process can show what. Throws: always.
  [[noreturn]] virtual void refuse_returned(std::uint32_t index, std::string_view where,
                                            std::string_view expected, ERL_NIF_TERM got) = 0;
  /// Notes that a C callback has failed, and that C is about to be told.
  virtual void note_failure() noexcept {}
  /// Lets others run, where C code can't be told of anything. False where that can't be.
  virtual bool let_others_run() noexcept { return false; }
  /// Bears with C code that asks a callback again which has failed. Where it can't be left for
  /// others, it is borne with for a while, and then left where it stands, for good.
  virtual void bear_question(std::exception_ptr& failure) noexcept = 0;
  /// Gives the environment in which to make what the NIF returns; null where that is known not to
  /// be waited for.
  [[nodiscard]] virtual ErlNifEnv* reply_env() const noexcept = 0;
  /// Leaves the body for ever: what it holds is lost.
  [[noreturn]] virtual void park(ERL_NIF_TERM reply) noexcept = 0;

  // ---- what it has for itself ----

  /// Gives the process that it works for. Threads: any, once it holds something.
  [[nodiscard]] ERL_NIF_TERM process() const noexcept { return m_process; }
  /// Notes its process, before it holds anything. Only where `check_may_await` has passed.
  void note_process() noexcept;
  /// Whether its process is gone, known or not yet known to itself. Threads: any.
  [[nodiscard]] bool is_orphaned() const noexcept {
    return m_orphaned.load(std::memory_order_acquire);
  }

  /// Threads: any.
  void add_held(std::shared_ptr<held_object> taken) {
    const std::lock_guard locked(m_mutex);
    m_held.push_back(std::move(taken));
  }
  /// Forgets the newest right to it that there is. Threads: any.
  void remove_held(const held_object& given_up) noexcept;
  /// Whether a call nested in this one, which was abandoned, still uses what this one holds. That
  /// one's end then lets it `resume_finishing`. Threads: any.
  bool postpone_if_nested() noexcept;
  /// Notes whether it is abandoned, while a nested call uses what it holds. Gives whether it was.
  bool set_postponed(bool is_now) noexcept {
    return m_postponed.exchange(is_now, std::memory_order_relaxed);
  }
  /// Goes on being finished, which a nested call has kept it from. Threads: any.
  virtual void resume_finishing() noexcept = 0;

 protected:
  native_call(const call_place& place, const std::byte* stack_end, nif_identity nif,
              body_kind body) noexcept
      : m_place(place), m_stack_end(stack_end), m_nif(nif), m_body(body) {}
  ~native_call() = default;

  /// After how many upcalls that are refused an abandoned call is parked: a loop that swallows
  /// everything would keep a thread for ever.
  static constexpr int most_refusals = 100;

  [[nodiscard]] const call_place& place() const noexcept { return m_place; }
  [[nodiscard]] std::uint32_t step_number() const noexcept { return m_step_number; }
  /// Makes what was borrowed stale.
  std::uint32_t begin_mark() noexcept { return ++m_step_number; }

  void set_orphaned() noexcept { m_orphaned.store(true, std::memory_order_release); }
  void set_process(const ErlNifPid& pid) noexcept { m_process = pid.pid; }

  /// Threads: where no other can use it any more.
  [[nodiscard]] bool has_held() const noexcept { return !m_held.empty(); }
  void give_up_held() noexcept;
  /// It will never go on: nobody may use what it holds.
  void lose_held() noexcept;

 private:
  /// Gives what it has, oldest first.
  [[nodiscard]] std::vector<std::shared_ptr<held_object>> held() const;

  call_place m_place;
  const std::byte* m_stack_end;
  nif_identity m_nif;
  ERL_NIF_TERM m_process = 0;
  std::uint32_t m_step_number = 0;
  body_kind m_body;
  std::atomic<bool> m_orphaned{false};
  std::atomic<bool> m_postponed{false};
  mutable std::mutex m_mutex;  // of the list; nothing else is locked while it is
  std::vector<std::shared_ptr<held_object>> m_held;
};

/// Gives the native call that the calling code runs in; null outside of one.
/// Threads: any. On those that a pinned body has started, none runs.
inline native_call* current_call() noexcept { return this_thread_calls().current; }

/// Makes a native call the current one of its thread for as long as it lives.
class current_call_scope {
 public:
  explicit current_call_scope(native_call& call) noexcept
      : m_before(std::exchange(this_thread_calls().current, &call)) {}
  current_call_scope(const current_call_scope&) = delete;
  current_call_scope& operator=(const current_call_scope&) = delete;
  ~current_call_scope() { this_thread_calls().current = m_before; }

 private:
  native_call* m_before;
};

/// Gives the step that the calling code runs in.
inline step_mark current_step() noexcept {
  const native_call* const running = current_call();
  return running == nullptr ? step_mark{} : running->mark();
}

inline native_call* call_place::here() const noexcept {
  const auto top = reinterpret_cast<std::uintptr_t>(on);
  const auto stack_pointer = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  native_call* const running = top - stack_pointer < stack_size
                                   // On this very stack: what is at its top is ours to read.
                                   ? static_cast<native_call*>(on->occupant)
                                   : current_call();
  return running != nullptr && running->number() == number ? running : nullptr;
}

inline native_call* root::call_here() const noexcept {
  return owner != nullptr ? owner.get() : m_place.here();
}

inline void release_root(root* last) noexcept {
  native_call* const call = last->call_here();
  if (call == nullptr) {
    const std::unique_ptr<root> owned(last);
    return;
  }
  // The root may be the last that has its call.
  const std::shared_ptr<native_call> owner = std::move(last->owner);
  call->drop_root(last);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "native_call.ipp"  // IWYU pragma: export
#endif
