#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../base/config.hpp"
#include "../call/kept_functions.hpp"
#include "../call/native_call.hpp"
#include "../call/roots.hpp"
#include "../call/this_thread.hpp"
#include "frame_due.hpp"
#include "frame_handles.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class chunk_base;

/// A native call that can be suspended: all of it but the body, which derived classes have
/// (fiber_frame.hpp, coroutine_frame.hpp). Threads: one at a time.
class frame : public native_call {
 public:
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;

  // ---- for the thread that runs a step ----

  /// Whether references to it are in continuations, which are older than its last step.
  [[nodiscard]] bool is_enumerated() const noexcept { return m_handle_is_shared; }

  /// Takes the roots for a step. False when `token` or `roots` are not those of the pending upcall.
  UPCALL_ALWAYS_INLINE bool take_roots(ErlNifEnv* env, ERL_NIF_TERM roots_map,
                                       ERL_NIF_TERM token) noexcept {
    return m_token.is(env, token) && m_due.learn().kept.begin_step(env, roots_map);
  }

  /// Forgets the handle, which is being destroyed: nobody will resume this frame.
  void abandon() noexcept {
    m_handle = nullptr;
    set_orphaned();
  }

  /// Gives the pending upcall its outcome, runs the body until it suspends or ends, and gives what
  /// the NIF returns. After that this frame may be gone.
  virtual ERL_NIF_TERM run_step(ErlNifEnv* env, outcome_kind kind,
                                ERL_NIF_TERM outcome) noexcept = 0;

  /// Runs on without a caller, until the body has ended or is parked, and gives what that says. It
  /// has an environment where the process still lives.
  ERL_NIF_TERM finish(ErlNifEnv* env) noexcept;

  // ---- for the body: requests ----

  /// Leaves the body until the upcall that `request` asks for has its outcome, and gives that.
  /// Throws: `error` for one that is not a value; `abandoned`.
  /// Only where `check_may_wait` has passed.
  ERL_NIF_TERM suspend(ERL_NIF_TERM request) {
    set_request(request);
    leave();
    return take_outcome();
  }

  /// The parts of `suspend` before and after the body is left.
  void set_request(ERL_NIF_TERM request) {
    m_step->reply = m_due.is_told() ? request : with_all_due(request);
  }
  ERL_NIF_TERM take_outcome() {
    if (m_outcome_kind != outcome_kind::returned) throw_outcome();
    return m_outcome;
  }

  [[nodiscard]] bool may_wait_here() const noexcept final { return true; }
  void check_may_wait() final { check_may_suspend(); }
  void check_may_await() final { check_may_request(); }
  /// As `check_may_wait`, without a virtual call.
  void check_may_suspend() {
    if (body() == body_kind::coroutine) [[unlikely]]
      throw_not_awaited();
    check_may_request();
  }
  /// As `check_may_await`, without a virtual call.
  void check_may_request() {
    if (m_is_abandoned) refuse_abandoned();
    check_not_in_codec();
  }
  void wait_for(waitable& awaited, clock::time_point until) final;
  named_answer call_named(const char* module, const char* function,
                          function_ref<ERL_NIF_TERM(ErlNifEnv*)> make_arguments) final;

  /// Makes the mark by which Elixir's answer to the next request is known.
  ERL_NIF_TERM next_token() noexcept { return m_token.make(m_env, number(), begin_mark()); }
  /// Makes `raw` known by the number that it begins with, if it can: see `request_token::take`.
  template <class T>
  bool take_for_token(ERL_NIF_TERM raw, T value) noexcept {
    if (!m_token.take(raw, value)) return false;
    begin_mark();
    return true;
  }

  /// Makes the function at `index` the one that the trampoline calls.
  void select(std::uint32_t index) {
    if (index == m_due->selected) return;
    root_term(index);
    frame_due& due = m_due.change();
    due.selected = index;
    due.has_news = true;
  }

  // ---- for the body: roots ----

  root_handle add_root(ErlNifEnv* env, ERL_NIF_TERM added) final {
    if (m_is_abandoned) throw abandoned{};
    return make_root(borrow(env, added));
  }
  /// Makes a term of `env()` a root.
  root_handle make_root(ERL_NIF_TERM added) {
    return root_handle(m_due.change().kept.add(m_env, added, place()));
  }
  void drop_root(root* dead) noexcept final;
  ERL_NIF_TERM fetch_root(const root_handle& wanted) final {
    if (m_is_abandoned) throw abandoned{};
    return root_term(wanted->index());
  }
  /// Throws: `error` when Elixir's side has brought other roots.
  ERL_NIF_TERM root_term(std::uint32_t index) const {
    const ERL_NIF_TERM found = m_due->kept.at(m_env, index);
    if (found == 0) throw_forged_roots();
    return found;
  }
  function_copy copy_of(const root_handle& used) final;
  root_handle root_of(const function_copy& copy) final;

  /// Ends an enumeration of Elixir's, which native code does not go on with: with the next request
  /// or the result, as a destructor can't make an upcall of its own.
  void halt_later(root_handle continuation);

  // ---- for the body: terms ----

  [[nodiscard]] ErlNifEnv* env() const noexcept { return m_env; }
  [[nodiscard]] ErlNifEnv* process_env() const noexcept final { return m_env; }
  ErlNifEnv* term_env() final {
    show_env();
    // An abandoned frame has no process, but still an environment of its own.
    return m_env != nullptr ? m_env : views();
  }
  ERL_NIF_TERM borrow(ErlNifEnv* env, ERL_NIF_TERM raw) final {
    // Terms of two heaps may not be mixed: a part of an owned_term has to be copied.
    ErlNifEnv* const own = term_env();
    return own == env ? raw : enif_make_copy(own, raw);
  }
  ERL_NIF_TERM keep(ERL_NIF_TERM raw) final { return enif_make_copy(views(), raw); }

  /// Notes that code of the user's has the environment of the step, and may raise in it.
  void show_env() noexcept { m_due.change().env_was_shown = true; }

  /// Says for its lifetime that a codec runs, whose half-built terms a suspension would lose.
  class codec_scope {
   public:
    explicit codec_scope(frame& running) noexcept
        : m_frame(running), m_before(std::exchange(running.m_in_codec, true)) {
      running.show_env();
    }
    codec_scope(const codec_scope&) = delete;
    codec_scope& operator=(const codec_scope&) = delete;
    ~codec_scope() { m_frame.m_in_codec = m_before; }

   private:
    frame& m_frame;
    bool m_before;
  };
  /// Takes the place of a `codec_scope` where none of the user's code runs.
  struct no_codec_scope {
    explicit no_codec_scope(frame&) noexcept {}
  };

  // ---- for the body: its end ----

  /// Sets what the NIF returns. The destructors that run after it may still make upcalls.
  void set_result(ERL_NIF_TERM reply) noexcept {
    frame_due& due = m_due.change();
    due.result = reply;
    due.kept_result = {};
  }

  /// Runs the whole body: `call` gives what the NIF returns. No exception leaves it.
  template <class Call>
  void run(const Call& call) noexcept {
    try {
      call();
      m_c_failures.rethrow_unscoped();
    } catch (const error& failure) {  // the commonest, and a rethrow costs a microsecond
      if (!m_is_abandoned) set_result(reply_of(failure));
    } catch (...) {
      if (!m_is_abandoned) set_result(reply_of_current_exception());
    }
    // What it destroys may make upcalls, as long as there is a result to keep.
    m_c_failures.forget_unscoped();
    m_step->reply = final_reply();
  }

  /// Says what was left behind by a body that was destroyed and not run to its end.
  void end_destroyed() noexcept { m_step->reply = final_reply(); }

  [[nodiscard]] bool is_abandoned() const noexcept { return m_is_abandoned; }
  /// Whether nobody waits for it, where it may not know yet: a dirty NIF goes on when its process
  /// is killed.
  [[nodiscard]] bool is_left() const noexcept final {
    return m_is_abandoned ||
           (nif().dirty != 0 && m_env != nullptr && enif_is_current_process_alive(m_env) == 0);
  }
  void resume_finishing() noexcept final;
  [[nodiscard]] ErlNifEnv* reply_env() const noexcept final {
    return m_is_abandoned ? nullptr : m_env;
  }
  [[noreturn]] UPCALL_COLD void park(ERL_NIF_TERM reply) noexcept final;
  [[noreturn]] UPCALL_COLD void refuse_returned(std::uint32_t index, std::string_view where,
                                                std::string_view expected, ERL_NIF_TERM got) final;

  // ---- for the body: giving time ----

  /// Whether the body has computed for so long that others should run.
  bool slice_is_over() noexcept {
    constexpr ErlNifTime slice = 500;
    const ErlNifTime now = enif_monotonic_time(ERL_NIF_USEC);
    if (now - m_slice_start < slice) return false;
    m_slice_start = now;
    return true;
  }
  /// Of a coroutine, notes that it asked to give time, which it is to await. Throws, then: `error`
  /// where it has not awaited the one before; in a codec, which can't await it.
  void give_time() final;
  /// Notes that a coroutine awaits that.
  void await_giving_time() noexcept { m_owes_time = false; }

  /// Lets others run. Of a frame that its process closes, the finisher gets the rest. False where
  /// the body can't be left for that.
  UPCALL_COLD bool let_others_run() noexcept final;
  UPCALL_COLD void bear_question(std::exception_ptr& failure) noexcept final;
  void note_failure() noexcept final {
    if (!m_is_abandoned) m_c_failures.note();
  }
  /// Gives what C callbacks have caught.
  [[nodiscard]] c_failures& failures_of_c() noexcept { return m_c_failures; }

  waitable* awaited = nullptr;    ///< what it waits for, on its stack
  chunk_base* yielded = nullptr;  ///< where the values that it yields go

 protected:
  /// Where the body runs: a stack, or nothing for one without its own.
  struct stack_place {
    const stack_seat* seat = nullptr;
    std::size_t size = 0;
    const std::byte* end = nullptr;
  };

  /// Begins on the thread of `here`.
  frame(step& first, nif_identity nif, body_kind body, const stack_place& on,
        thread_calls& here) noexcept
      : native_call({here.take_number(), on.seat, on.size}, on.end, nif, body),
        m_step(&first),
        m_env(first.env),
        m_thread(&here) {
    here.current = this;
  }
  ~frame() = default;

  /// Lets go of what may hold roots, while the roots are still there. To be called by the
  /// destructor of the body, as long as `call_place::here` finds the frame.
  void let_go() noexcept {
    if (has_held()) give_up_held();
    m_kept_functions.reset();
    frame_due& due = m_due.change();
    due.kept_result = {};
    due.to_halt.clear();
    m_c_failures.forget_unscoped();
    end();
  }

  /// Notes that `next` is the step that runs, on the calling thread, and the outcome of the upcall
  /// that was pending.
  UPCALL_ALWAYS_INLINE thread_calls& begin_step(step& next, outcome_kind kind,
                                                ERL_NIF_TERM outcome) noexcept {
    m_step = &next;
    m_env = next.env;
    m_outcome_kind = kind;
    m_outcome = outcome;
    // Mostly the thread of the step before, and a look at the stack is cheaper than to ask. Threads
    // that run more than one step of a frame are schedulers, which never end.
    if (!m_thread->is_here(&next)) m_thread = &this_thread_calls();
    // This thread's on both sides of the switch, for it is the one that waits for the body.
    m_thread->current = this;
    return *m_thread;
  }

  /// Leaves the body until its next step. Only where it may suspend.
  virtual void leave() noexcept = 0;
  /// Leaves the body for ever.
  [[noreturn]] virtual void lose() noexcept = 0;

  [[nodiscard]] outcome_kind kind_of_outcome() const noexcept { return m_outcome_kind; }
  void set_kind_of_outcome(outcome_kind kind) noexcept { m_outcome_kind = kind; }

 private:
  void check_not_in_codec() const {
    if (m_in_codec) throw_in_codec();
  }

  /// Gives the request with all that has changed since the one before.
  UPCALL_NOINLINE ERL_NIF_TERM with_all_due(ERL_NIF_TERM request);
  UPCALL_COLD ERL_NIF_TERM first_request(ERL_NIF_TERM request);
  ERL_NIF_TERM next_request(ERL_NIF_TERM request);
  /// Gives the function that the trampoline is to call from now on.
  ERL_NIF_TERM selected_function();
  ERL_NIF_TERM with_halts(ERL_NIF_TERM reply, ERL_NIF_TERM token) {
    return m_due->to_halt.empty() ? reply : halts_before(reply, token);
  }
  UPCALL_COLD ERL_NIF_TERM halts_before(ERL_NIF_TERM reply, ERL_NIF_TERM token);

  /// Makes the reference that Elixir may still hold a dead one.
  void end() noexcept {
    if (m_was_suspended) end_suspended();
  }
  UPCALL_COLD void end_suspended() noexcept;

  /// Gives the environment in which what views point to lives as long as the frame.
  ErlNifEnv* views() {
    if (!m_views) m_views = std::make_unique<owned_env>();
    return m_views->get();
  }
  kept_functions& kept() {
    if (!m_kept_functions) m_kept_functions = std::make_unique<kept_functions>();
    return *m_kept_functions;
  }

  /// What the NIF returns: nothing when nobody waits for it, as what was kept is gone then.
  [[nodiscard]] ERL_NIF_TERM final_reply() noexcept;
  UPCALL_COLD ERL_NIF_TERM reply_of_current_exception() noexcept;
  /// Gives the reply for `failure`, which is the current exception.
  UPCALL_COLD ERL_NIF_TERM reply_of(const error& failure) noexcept;

  /// Ends the step for the error that it has begun with: its terms are of that. The frame can keep
  /// them as long as it lives on.
  enum class lives_on { no, yes };
  UPCALL_COLD void end_borrowing(lives_on frame_does) noexcept;
  [[noreturn]] UPCALL_COLD void throw_outcome();
  UPCALL_COLD void check_nothing_pending();
  /// Whether the body can be left between two instructions of C, to go on there later.
  [[nodiscard]] bool can_leave() const noexcept;
  /// Throws `abandoned`, or parks a body that does not let it pass.
  [[noreturn]] UPCALL_COLD void refuse_abandoned();
  [[noreturn]] UPCALL_COLD static void throw_forged_roots();
  [[noreturn]] UPCALL_COLD static void throw_in_codec();
  [[noreturn]] UPCALL_COLD static void throw_not_awaited();
  [[noreturn]] UPCALL_COLD static void throw_time_not_awaited();

  step* m_step;
  ErlNifEnv* m_env;
  thread_calls* m_thread;  // that ran the last step
  request_token m_token;
  ERL_NIF_TERM m_outcome = 0;
  outcome_kind m_outcome_kind = outcome_kind::returned;
  bool m_in_codec = false;
  bool m_is_abandoned = false;
  bool m_was_suspended = false;
  bool m_handle_is_shared = false;  // by the continuations of an enumeration
  bool m_owes_time = false;
  int m_refusals = 0;  // of upcalls, since it was abandoned
  frame_handle* m_handle = nullptr;
  due_parts m_due;
  ErlNifTime m_slice_start = std::numeric_limits<ErlNifTime>::min() / 2;
  c_failures m_c_failures;
  std::unique_ptr<owned_env> m_views;
  std::unique_ptr<kept_functions> m_kept_functions;
};

/// Says for its lifetime what a frame waits for.
class awaited_in_frame {
 public:
  awaited_in_frame(frame& running, waitable& awaited) noexcept : m_frame(running) {
    running.awaited = &awaited;
  }
  awaited_in_frame(const awaited_in_frame&) = delete;
  awaited_in_frame& operator=(const awaited_in_frame&) = delete;
  ~awaited_in_frame() { m_frame.awaited = nullptr; }

 private:
  frame& m_frame;
};

/// Gives the frame that the calling code runs in; null outside of one.
inline frame* current_frame() noexcept {
  native_call* const running = current_call();
  return running != nullptr && running->body() != body_kind::pinned ? static_cast<frame*>(running)
                                                                    : nullptr;
}

/// Says while arguments are encoded that a codec runs, where that is in a frame.
class encoding_scope {
 public:
  encoding_scope() {
    if (frame* const running = current_frame()) m_scope.emplace(*running);
  }

 private:
  std::optional<frame::codec_scope> m_scope;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "finisher.hpp"       // IWYU pragma: export
#include "frame.ipp"          // IWYU pragma: export
#include "frame_replies.ipp"  // IWYU pragma: export
#endif
