#pragma once

#include <erl_nif.h>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "../atom.hpp"
#include "../error.hpp"
#include "config.hpp"
#include "frame_parts.hpp"
#include "holder.hpp"
#include "kept_functions.hpp"
#include "patience.hpp"
#include "roots.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class chunk_base;
class waitable;

/// What a frame runs: code on a stack of its own, or a coroutine.
enum class body_kind { fiber, coroutine };

/// A native call that can be suspended: all of it but the body, which derived classes have
/// (fiber_frame.hpp, coroutine_frame.hpp). Threads: one at a time.
class frame : public holder {
 public:
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;

  // ---- for the thread that runs a step ----

  /// Whether references to it are in continuations, which are older than its last step.
  [[nodiscard]] bool is_enumerated() const noexcept { return m_handle_is_shared; }

  /// Takes the roots for a step. False when `token` or `roots` are not those of the pending upcall.
  UPCALL_ALWAYS_INLINE bool take_roots(ErlNifEnv* env, ERL_NIF_TERM roots_map,
                                       ERL_NIF_TERM token) noexcept {
    // Small integers that are equal are the same word, and so is a float that was not moved.
    return (token == m_token || is_float_token(env, token)) && m_roots.begin_step(env, roots_map);
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
  ERL_NIF_TERM finish(ErlNifEnv* env) noexcept {
    m_abandoned = true;
    ++m_step_number;  // what was borrowed is gone
    if (env != nullptr) m_slice_start = enif_monotonic_time(ERL_NIF_USEC);
    return run_step(env, outcome_kind::abandoned, 0);
  }

  // ---- for the body ----

  /// Leaves the body for ever: what it holds is lost.
  [[noreturn]] UPCALL_COLD void park(ERL_NIF_TERM reply) noexcept;

  /// Leaves the body until the upcall that `request` asks for has its outcome, and gives that.
  /// Throws: `error` for one that is not a value; `abandoned`.
  /// Only where `check_may_suspend` has passed.
  ERL_NIF_TERM suspend(ERL_NIF_TERM request) {
    set_request(request);
    leave();
    return take_outcome();
  }

  /// The parts of `suspend` before and after the body is left.
  void set_request(ERL_NIF_TERM request) {
    m_step->reply = m_next_is_plain ? request : with_all_due(request);
  }
  ERL_NIF_TERM take_outcome() {
    if (m_outcome_kind != outcome_kind::returned) throw_outcome();
    return m_outcome;
  }

  /// Throws unless the calling code may make an upcall, and wait for it where it is.
  void check_may_suspend() {
    if (m_body == body_kind::coroutine) [[unlikely]]
      throw_not_awaited();
    check_may_await();
  }
  /// Throws unless an upcall may be made now, by code that waits for it in the way of its body.
  void check_may_await() {
    if (m_abandoned) throw_abandoned();
    check_not_in_codec();
  }

  /// Makes the mark by which Elixir's answer to the next request is known.
  ERL_NIF_TERM next_token() noexcept {
    // A small integer, and so a word. No other frame makes it: handles are used again.
    constexpr int step_bits = 20;
    constexpr std::uint64_t small = (std::uint64_t{1} << 59) - 1;
    const std::uint64_t step = ++m_step_number & ((1U << step_bits) - 1);
    m_token = enif_make_uint64(m_env, ((number() << step_bits) | step) & small);
    m_token_is_float = false;
    return m_token;
  }
  /// Makes `raw`, a request that begins with the number `value`, known by that: an answer fits what
  /// was asked. False where it can't be: a large integer can be moved, and is dear to compare.
  template <class T>
  bool take_for_token(ERL_NIF_TERM raw, T value) noexcept {
    constexpr auto small = std::int64_t{1} << 59;
    if constexpr (std::floating_point<T>) {
      m_float_token = static_cast<double>(value);
    } else if constexpr (sizeof(T) == sizeof(small)) {
      if (std::cmp_less(value, -small) || std::cmp_greater_equal(value, small)) return false;
    }
    m_token_is_float = std::floating_point<T>;
    ++m_step_number;
    m_token = raw;
    return true;
  }

  /// Makes the function at `index` the one that the trampoline calls.
  void select(std::uint32_t index) {
    if (index == m_selected) return;
    root_term(index);
    m_selected = index;
    m_update_is_due = true;
    m_next_is_plain = false;
  }

  /// Makes a term a root.
  root_handle add_root(ERL_NIF_TERM added) {
    m_next_is_plain = false;
    return root_handle(m_roots.add(m_env, added, m_place));
  }
  void drop_root(root* dead) noexcept {
    if (dead->index() == m_selected) m_selected = no_function;
    m_next_is_plain = false;
    m_roots.drop(dead);
  }
  /// Throws: `error` when Elixir's side has brought other roots.
  ERL_NIF_TERM root_term(std::uint32_t index) const {
    const ERL_NIF_TERM found = m_roots.at(m_env, index);
    if (found == 0) throw_forged_roots();
    return found;
  }

  /// Ends an enumeration of Elixir's, which native code does not go on with: with the next request
  /// or the result, as a destructor can't make an upcall of its own.
  void halt_later(root_handle continuation) {
    m_to_halt.push_back(std::move(continuation));
    m_update_is_due = true;
    m_next_is_plain = false;
  }

  /// Gives the copy of a root of this frame that outlives it.
  function_copy copy_of(const root_handle& used) {
    const ERL_NIF_TERM raw = root_term(used->index());
    if (function_copy known = kept().copy_of(used)) return known;
    auto made = std::make_shared<const owned_term>(raw);
    const auto unused = kept().add(made, used);
    return made;
  }
  /// Gives the root of a function that was kept, by this frame or by another.
  root_handle root_of(const function_copy& copy) {
    if (root_handle known = kept().root_of(copy)) return known;
    root_handle made = add_root(copy->copy_to(m_env));
    const auto unused = kept().add(copy, made);
    return made;
  }

  /// Gives the environment in which what views point to lives as long as the frame.
  ErlNifEnv* views() {
    if (!m_views) m_views = std::make_unique<owned_env>();
    return m_views->get();
  }

  /// Sets what the NIF returns. The destructors that run after it may still make upcalls.
  void set_result(ERL_NIF_TERM reply) noexcept {
    m_result = reply;
    m_kept_result = {};
    m_next_is_plain = false;
  }

  /// Whether the body has computed for so long that others should run.
  bool slice_is_over() noexcept {
    constexpr ErlNifTime slice = 500;
    const ErlNifTime now = enif_monotonic_time(ERL_NIF_USEC);
    if (now - m_slice_start < slice) return false;
    m_slice_start = now;
    return true;
  }

  /// Lets others run, where C code can't be told of anything. Of a frame that its process closes,
  /// the finisher gets the rest. False where the body can't be left for that.
  UPCALL_COLD bool let_others_run() noexcept;
  /// Does so where C code asks a callback again that has failed, and can only be told so. Where it
  /// can't be left, C is borne with for a while, and then left where it stands, for good.
  UPCALL_COLD void bear_question(std::exception_ptr& failure) noexcept;
  /// Begins to bear with C code, of which a callback has failed.
  void note_failure() noexcept {
    if (!m_abandoned) m_patience.restart();
  }

  /// Notes that a coroutine asked to yield, which it is to await. Throws: `error` where it has not
  /// awaited the one before; in a codec, which can't await it.
  void note_yield() {
    check_not_in_codec();
    if (std::exchange(m_yield_is_due, true)) throw_yield_not_awaited();
  }
  void await_yield() noexcept { m_yield_is_due = false; }

  /// Notes the process that the frame belongs to, for others that can't ask `env()`.
  void note_process() noexcept {
    if (process != 0) return;
    ErlNifPid self;
    enif_self(m_env, &self);
    process = self.pid;
  }

  [[nodiscard]] ErlNifEnv* env() const noexcept { return m_env; }
  [[nodiscard]] step_mark mark() const noexcept { return {number(), m_step_number}; }
  [[nodiscard]] nif_identity nif() const noexcept { return m_nif; }
  [[nodiscard]] bool is_abandoned() const noexcept { return m_abandoned; }
  /// The same, where it may not know yet: a dirty NIF goes on when its process is killed.
  [[nodiscard]] bool is_left() const noexcept {
    return m_abandoned ||
           (m_nif.dirty != 0 && m_env != nullptr && enif_is_current_process_alive(m_env) == 0);
  }

  /// Notes that code of the user's has the environment of the step, and may raise in it.
  void show_env() noexcept {
    m_env_was_shown = true;
    m_next_is_plain = false;
  }

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
  /// The same where none of the user's code runs.
  struct no_codec_scope {
    explicit no_codec_scope(frame&) noexcept {}
  };

  /// The lowest address that the body's stack may grow to; null where it has none of its own.
  [[nodiscard]] const std::byte* stack_end() const noexcept { return m_stack_end; }
  /// How far that is from its top.
  [[nodiscard]] std::size_t stack_size() const noexcept { return m_place.stack_size; }
  [[nodiscard]] body_kind body() const noexcept { return m_body; }

  std::exception_ptr* c_failure =
      &m_unscoped_failure;        ///< where C callbacks leave what they caught
  waitable* awaited = nullptr;    ///< what it waits for, on its stack
  chunk_base* yielded = nullptr;  ///< where the values that it yields go

  /// Throws what C callbacks have caught outside of a call into C.
  void rethrow_unscoped_failure() {
    if (m_unscoped_failure) std::rethrow_exception(std::exchange(m_unscoped_failure, nullptr));
  }

  /// Runs the whole body: `call` gives what the NIF returns. No exception leaves it.
  template <class Call>
  void run(const Call& call) noexcept {
    try {
      call();
      rethrow_unscoped_failure();
    } catch (const error& failure) {  // the commonest, and a rethrow costs a microsecond
      if (!m_abandoned) set_result(reply_of(failure));
    } catch (...) {
      if (!m_abandoned) set_result(reply_of_current_exception());
    }
    // What it destroys may make upcalls, as long as there is a result to keep.
    m_unscoped_failure = nullptr;
    m_step->reply = final_reply();
  }

  /// Says what was left behind by a body that was destroyed and not run to its end.
  void end_destroyed() noexcept { m_step->reply = final_reply(); }

 protected:
  /// Where the body runs: a stack, or nothing for one without its own.
  struct stack_place {
    const stack_seat* seat = nullptr;
    std::size_t size = 0;
    const std::byte* end = nullptr;
  };

  /// Begins on the thread of `here`.
  frame(step& first, nif_identity nif, body_kind body, const stack_place& on,
        thread_frames& here) noexcept
      : holder(here.take_number(), &requeue),
        m_step(&first),
        m_env(first.env),
        m_thread(&here),
        m_body(body),
        m_stack_end(on.end),
        m_nif(nif),
        m_place{number(), on.seat, on.size} {
    here.current = this;
  }
  ~frame() = default;

  /// Lets go of what may hold roots, while the roots are still there. To be called by the
  /// destructor of the body, as long as `frame_place::here` finds the frame.
  void let_go() noexcept {
    if (has_held()) give_up_holds();
    m_kept_functions.reset();
    m_kept_result = {};
    m_to_halt.clear();
    m_unscoped_failure = nullptr;
    end();
  }

  /// Notes that `next` is the step that runs, on the calling thread, and the outcome of the upcall
  /// that was pending.
  UPCALL_ALWAYS_INLINE thread_frames& begin_step(step& next, outcome_kind kind,
                                                 ERL_NIF_TERM outcome) noexcept {
    m_step = &next;
    m_env = next.env;
    m_outcome_kind = kind;
    m_outcome = outcome;
    // Mostly the thread of the step before, and a look at the stack is cheaper than to ask. Threads
    // that run more than one step of a frame are schedulers, which never end.
    if (!m_thread->is_here(&next)) m_thread = &this_thread_frames();
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
  static constexpr std::uint32_t no_function = UINT32_MAX;

  UPCALL_NOINLINE bool is_float_token(ErlNifEnv* env, ERL_NIF_TERM token) const noexcept {
    double value = 0;
    return m_token_is_float && enif_get_double(env, token, &value) && value == m_float_token;
  }

  void check_not_in_codec() const {
    if (m_in_codec) {
      raise("Elixir.RuntimeError",
            "an upcall was made while terms are being encoded or decoded, or an exception is being "
            "translated; make it before or after");
    }
  }

  /// Gives the request with all that has changed since the one before.
  UPCALL_NOINLINE ERL_NIF_TERM with_all_due(ERL_NIF_TERM request) {
    // With an exception pending the VM would take any reply for that exception, and lose the frame.
    if (m_env_was_shown) check_nothing_pending();
    if (m_borrowing_error) end_borrowing(lives_on::yes);
    if (m_result != 0) keep_result();
    const ERL_NIF_TERM whole = m_handle == nullptr ? first_request(request) : next_request(request);
    m_env_was_shown = false;
    m_next_is_plain = true;
    return whole;
  }
  ERL_NIF_TERM next_request(ERL_NIF_TERM request) {
    const bool roots_changed = m_roots.end_step(m_env);
    if (!roots_changed && !m_update_is_due) return request;
    return detail::make_tuple(m_env, atoms::update.raw(), m_roots.map(), selected_function(),
                              with_halts(request, m_token));
  }

  UPCALL_COLD ERL_NIF_TERM first_request(ERL_NIF_TERM request);

  /// Makes the reference that Elixir may still hold a dead one.
  void end() noexcept {
    if (m_was_suspended) end_suspended();
  }
  UPCALL_COLD void end_suspended() noexcept;

  ERL_NIF_TERM with_halts(ERL_NIF_TERM reply, ERL_NIF_TERM token) {
    return m_to_halt.empty() ? reply : halts_before(reply, token);
  }
  UPCALL_COLD ERL_NIF_TERM halts_before(ERL_NIF_TERM reply, ERL_NIF_TERM token);

  ERL_NIF_TERM selected_function() {
    const ERL_NIF_TERM selected =
        m_selected == no_function ? atoms::nil.raw() : root_term(m_selected);
    m_update_is_due = false;
    return selected;
  }

  /// Goes on being finished, which a nested call has kept it from. (finisher.hpp)
  static void requeue(holder& postponed) noexcept;

  kept_functions& kept() {
    if (!m_kept_functions) m_kept_functions = std::make_unique<kept_functions>();
    return *m_kept_functions;
  }

  void keep_result() {
    if (!m_kept_result) m_kept_result = add_root(m_result);
  }

  /// What the NIF returns: nothing when nobody waits for it, as what was kept is gone then.
  [[nodiscard]] ERL_NIF_TERM final_reply() noexcept {
    try {
      if (m_abandoned)
        return m_env == nullptr ? 0 : with_halts(atoms::ok.raw(), atoms::ended.raw());
      return with_halts(m_kept_result ? root_term(m_kept_result->index()) : m_result,
                        atoms::ended.raw());
    } catch (...) {
      return reply_of_current_exception();
    }
  }
  UPCALL_COLD ERL_NIF_TERM reply_of_current_exception() noexcept;
  /// The same for `failure`, which is the current exception.
  UPCALL_COLD ERL_NIF_TERM reply_of(const error& failure) noexcept;

  /// Ends the step for the error that it has begun with: its terms are of that. The frame can keep
  /// them as long as it lives on.
  enum class lives_on { no, yes };
  UPCALL_COLD void end_borrowing(lives_on frame_does) noexcept;
  [[noreturn]] UPCALL_COLD static void throw_forged_roots() {
    raise("Elixir.ArgumentError", "the roots of this frame are not those it handed out");
  }
  [[noreturn]] UPCALL_COLD void throw_outcome();
  void check_nothing_pending() {
    ERL_NIF_TERM pending = 0;
    if (enif_has_pending_exception(m_env, &pending)) throw_pending(pending);
  }
  [[noreturn]] UPCALL_COLD void throw_pending(ERL_NIF_TERM reason);
  /// Whether the body can be left between two instructions of C, to go on there later.
  [[nodiscard]] bool can_leave() const noexcept;
  [[noreturn]] UPCALL_COLD void throw_abandoned();
  [[noreturn]] UPCALL_COLD static void throw_not_awaited();
  [[noreturn]] UPCALL_COLD static void throw_yield_not_awaited();

  step* m_step;
  ErlNifEnv* m_env;
  thread_frames* m_thread;  // that ran the last step
  body_kind m_body;
  const std::byte* m_stack_end;
  std::uint32_t m_step_number = 0;
  std::uint32_t m_selected = no_function;
  ERL_NIF_TERM m_token = 0;
  double m_float_token = 0;  // what `m_token` is where that is a float
  ERL_NIF_TERM m_outcome = 0;
  ERL_NIF_TERM m_result = 0;  // of the body, while what it leaves behind is destroyed
  outcome_kind m_outcome_kind = outcome_kind::returned;
  bool m_next_is_plain = false;  // nothing is due that the next request would have to say
  bool m_update_is_due = false;
  bool m_token_is_float = false;
  bool m_in_codec = false;
  bool m_env_was_shown = false;
  bool m_abandoned = false;
  bool m_was_suspended = false;
  bool m_handle_is_shared = false;  // by the continuations of an enumeration
  bool m_yield_is_due = false;
  frame_handle* m_handle = nullptr;
  int m_upcalls_when_abandoned = 0;
  patience m_patience;
  ErlNifTime m_slice_start = std::numeric_limits<ErlNifTime>::min() / 2;
  std::exception_ptr m_unscoped_failure;
  nif_identity m_nif;
  frame_place m_place;
  roots m_roots;
  root_handle m_kept_result;
  std::vector<root_handle> m_to_halt;
  std::unique_ptr<owned_env> m_views;
  std::unique_ptr<kept_functions> m_kept_functions;
  std::shared_ptr<error_content> m_borrowing_error;  // that this step has thrown for its outcome
};

inline frame* frame_place::here() const noexcept {
  const auto top = reinterpret_cast<std::uintptr_t>(on);
  const auto stack_pointer = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  frame* const running = top - stack_pointer < stack_size
                             // On this very stack: what is at its top is ours to read.
                             ? static_cast<frame*>(on->occupant)
                             : current_frame();
  return running != nullptr && running->number() == number ? running : nullptr;
}

inline bool may_throw_abandoned() noexcept {
  const frame* const running = current_frame();
  if (std::uncaught_exceptions() > 0) return false;  // a destructor, as the stack is unwound
  if (running == nullptr) return this_thread_frames().pinned != nullptr;
  // Nothing of an abandoned coroutine runs but its destructors.
  return !running->is_abandoned() || running->body() != body_kind::coroutine;
}

inline void release_root(root* last) noexcept {
  if (frame* const running = last->frame().here()) {
    running->drop_root(last);
  } else if (last->pinned != nullptr) {
    release_pinned_root(last);
  } else {
    const std::unique_ptr<root> owned(last);
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
