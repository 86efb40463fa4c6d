#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

#include "../base/config.hpp"
#include "fiber_host.hpp"
#include "fiber_switch.hpp"
#include "stack_use.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A stack of its own for native code, which runs one job after another: making a context costs
/// more than entering one, so it is kept for the next job. It lives at the top of the stack it
/// describes.
class fiber : public stack_seat {
 public:
  using job = void (*)(void* argument) noexcept;

  /// Makes a fiber at the top of `stack`, `size` bytes.
  static fiber* make(std::byte* stack, std::size_t size) noexcept;

  fiber(std::byte* stack, std::size_t size) noexcept
      : m_stack(stack),
        m_size(size),
        m_other(boost::context::detail::make_fcontext(
            this, static_cast<std::size_t>(reinterpret_cast<std::byte*>(this) - stack), &work)) {}
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  // A fiber at rest has nothing on its stack and one in a job is never destroyed (frames are
  // finished or parked), so the memory is dropped as it is.
  ~fiber() = delete;

  /// Runs `job(argument)` on this stack until it first suspends or ends.
  void start(job run, void* argument,
             abi::__cxa_eh_globals* of_thread = exceptions_of_thread()) noexcept {
    m_job = run;
    m_argument = argument;
    m_resting = false;
    resume(of_thread);
  }

  /// Goes on with the job, on the calling thread, until it suspends or ends.
  /// `of_thread` is the calling thread's exception state, for who knows it already.
  UPCALL_ALWAYS_INLINE void resume(
      abi::__cxa_eh_globals* of_thread = exceptions_of_thread()) noexcept {
    const exception_globals_swap swap(m_exceptions, of_thread);
    m_sanitizer.before_entering(m_stack, m_size);
    m_other = jump(m_other, this);
    m_sanitizer.after_leaving();
  }

  /// Leaves the job for now; only on this fiber. The caller may go on on another thread.
  UPCALL_ALWAYS_INLINE void suspend() noexcept {
    m_sanitizer.before_leaving();
    m_other = jump(m_other, this);
    m_sanitizer.entered();
  }

  /// Whether the last job has ended.
  [[nodiscard]] bool resting() const noexcept { return m_resting; }
  [[nodiscard]] std::byte* stack() const noexcept { return m_stack; }
  [[nodiscard]] std::size_t size() const noexcept { return m_size; }

  /// Says what the depths of the next job are noted in.
  void note_depths_in(stack_use& use) noexcept {
    m_use = &use;
    m_mark = top() - use.deepest();
    if (use.measures()) begin_measuring();
  }
  /// Notes how deep the stack is, after a step of that job; where it is measured, how deep it has
  /// been since the job began.
  UPCALL_ALWAYS_INLINE void note_depth() noexcept {
    // A context is known by where its registers are, which is the end of its stack. Deeper ones are
    // few: they find the place that all others come to.
    if (static_cast<const std::byte*>(m_other) < m_mark) [[unlikely]]
      note_deeper();
  }

  /// Drops what the sanitizers keep of a resting fiber whose memory is about to go.
  void retire() noexcept { m_sanitizer.retire(m_stack, m_size); }

  /// Leaves the job for ever: this stack, and what it holds, is lost.
  [[noreturn]] void lose() noexcept {
    for (;;) suspend();
  }

  fiber* next = nullptr;  ///< of the pool's list that it rests in

 private:
  /// What no code has come to, in whole pages, while it rests.
  [[nodiscard]] std::size_t unused() const noexcept;

  UPCALL_COLD UPCALL_NOINLINE void note_deeper() noexcept;
  /// Lets go of the pages below, and has each step noted.
  UPCALL_COLD void begin_measuring() noexcept;

  [[nodiscard]] const std::byte* top() const noexcept {
    return reinterpret_cast<const std::byte*>(this + 1);
  }

  static void work(boost::context::detail::transfer_t scheduler) noexcept {
    auto* const self = static_cast<fiber*>(scheduler.data);
    self->m_other = scheduler.fctx;
    self->m_sanitizer.entered();
    for (;;) {
      self->m_job(self->m_argument);
      self->m_resting = true;
      self->suspend();
    }
  }

  std::byte* m_stack;
  std::size_t m_size;
  job m_job = nullptr;
  void* m_argument = nullptr;
  boost::context::detail::fcontext_t
      m_other;  // what is not running: the job, or the scheduler that waits for it
  const std::byte* m_mark = nullptr;  // how deep `m_use` knows the stacks to be
  stack_use* m_use = nullptr;
  exception_globals m_exceptions;
  bool m_resting = true;
  [[no_unique_address]] sanitizer_fiber m_sanitizer;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "fiber.ipp"  // IWYU pragma: export
#endif
