#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <exception>
#include <new>
#include <utility>

#include "../base/config.hpp"
#include "../frame/frame.hpp"
#include "../frame/frame_requests.hpp"
#include "coroutine_promise.hpp"
#include "frame_memory.hpp"

// The body that is a coroutine: it is suspended where it co_awaits, and needs no stack of its own.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A native call whose body is a coroutine, and the coroutines that this one awaits. It lives on
/// the heap until the body has ended.
class coroutine_frame : public frame {
 public:
  using work = void (*)(coroutine_frame& running);
  // A step runs on the thread's own stack, and `lose` can leave it at any point: what the frame
  // holds is lost then. Five words are what `__builtin_setjmp` writes.
  using way_out = void* [5];

  coroutine_frame(step& first, nif_identity nif, thread_calls& here) noexcept
      : frame(first, nif, body_kind::coroutine, {}, here) {}
  coroutine_frame(const coroutine_frame&) = delete;
  coroutine_frame& operator=(const coroutine_frame&) = delete;

  static void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return of_this_thread<frame_memory>().take(size);
  }
  static void operator delete(void* memory, std::size_t size) noexcept {
    of_this_thread<frame_memory>().give(memory, size);
  }

  // ---- for what coroutines await ----

  /// Notes that `innermost` waits for the outcome of the request that was set.
  void wait_in(coroutine_promise& innermost, outcome_taker* taker) noexcept {
    m_innermost = &innermost;
    m_taker = taker;
  }
  /// Makes `next` the one that runs, as soon as the one that runs is suspended. So a chain of any
  /// length needs no stack: compilers make a jump of a symmetric transfer only when they optimise.
  void go_on_in(coroutine_promise& next) noexcept {
    m_innermost = &next;
    m_goes_on = true;
  }
  /// `ended` has given its result.
  void leave_ended(coroutine_promise& ended) noexcept {
    if (ended.caller != nullptr) {
      go_on_in(*ended.caller);
    } else {
      m_body_has_ended = true;
    }
  }
  /// Gives what the request that was awaited came to. Throws: `error`, and what its taker threw.
  ERL_NIF_TERM take_awaited() {
    if (kind_of_outcome() != outcome_kind::returned && m_failure) [[unlikely]]
      std::rethrow_exception(std::exchange(m_failure, nullptr));
    return take_outcome();
  }

  /// Runs the first step: `FirstStep` makes the body.
  template <work FirstStep>
  UPCALL_NOINLINE void start() noexcept {
    way_out here;
    m_way_out = here;
    if (__builtin_setjmp(here) == 0) FirstStep(*this);
  }

 protected:
  ~coroutine_frame() = default;

  /// Gives the outermost coroutine, before the body has run.
  void set_body(coroutine_promise& outermost) noexcept {
    outermost.running = this;
    go_on_in(outermost);
  }
  /// Runs the body until it suspends or ends. In a step only.
  void run_body() {
    if (!m_body_has_ended) {
      do {
        m_goes_on = false;
        m_innermost->self.resume();
      } while (m_goes_on);
    }
    if (m_body_has_ended) end_body();
  }
  /// Gives the result and destroys the frame.
  virtual void end_body() noexcept = 0;
  /// Destroys the frame, whose body is destroyed.
  virtual void destroy() noexcept = 0;

 private:
  // What could leave these is an error that can go nowhere, for which std::terminate has `lose`.
  // NOLINTBEGIN(bugprone-exception-escape)
  UPCALL_NOINLINE ERL_NIF_TERM run_step(ErlNifEnv* env, outcome_kind kind,
                                        ERL_NIF_TERM outcome) noexcept final {
    step next{env, 0};
    thread_calls& here = begin_step(next, kind, outcome);
    way_out out;
    m_way_out = out;
    if (__builtin_setjmp(out) == 0) go_on();
    here.current = nullptr;
    return next.reply;
  }

  // A function of its own: one that calls setjmp keeps nothing in registers.
  UPCALL_NOINLINE void go_on() {
    if (kind_of_outcome() != outcome_kind::returned) [[unlikely]]
      return go_on_without_value();
    if (m_taker == nullptr || take_returned()) run_body();
  }
  // Never reached: `check_may_suspend` throws before.
  void leave() noexcept final { std::terminate(); }
  [[noreturn]] UPCALL_NOINLINE void lose() noexcept final;

  /// Lets what the innermost coroutine awaits have its value. False when that has asked for
  /// something else.
  UPCALL_ALWAYS_INLINE bool take_returned() noexcept {
    outcome_taker& taker = *std::exchange(m_taker, nullptr);
    try {
      taker.take(*this, take_outcome());
      return true;
    } catch (...) {
      return fail_returned();
    }
  }
  /// Handles what a taker has thrown, which is the current exception. Gives what `take_returned`
  /// does.
  UPCALL_COLD bool fail_returned() noexcept;
  // NOLINTEND(bugprone-exception-escape)

  UPCALL_COLD void go_on_without_value();

  /// Destroys the coroutines from the innermost outwards, each while its caller waits for it: the
  /// order of an exception, and one that needs no stack for a long chain.
  void end_abandoned();

  coroutine_promise* m_innermost = nullptr;
  outcome_taker* m_taker = nullptr;
  std::exception_ptr m_failure;
  bool m_goes_on = false;
  bool m_body_has_ended = false;
  void** m_way_out = nullptr;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "coroutine_frame.ipp"  // IWYU pragma: export
#endif
