#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <memory>

#include "config.hpp"
#include "fiber_switch.hpp"
#include "stack_seat.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A stack of its own for native code, which runs one job after another: making a context costs
/// more than entering one, so it is kept for the next job. It lives at the top of the stack it
/// describes.
class fiber : public stack_seat {
 public:
  using job = void (*)(void* argument) noexcept;

  /// Makes a fiber at the top of `stack`, `size` bytes.
  static fiber* make(std::byte* stack, std::size_t size) noexcept {
    std::byte* place = stack + size - sizeof(fiber);
    place -= reinterpret_cast<std::size_t>(place) % alignof(std::max_align_t);
    return std::construct_at(reinterpret_cast<fiber*>(place), stack, size);
  }

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
             abi::__cxa_eh_globals* of_thread = abi::__cxa_get_globals()) noexcept {
    m_job = run;
    m_argument = argument;
    m_resting = false;
    resume(of_thread);
  }

  /// Goes on with the job, on the calling thread, until it suspends or ends.
  /// `of_thread` is the calling thread's exception state, for who knows it already.
  UPCALL_ALWAYS_INLINE void resume(
      abi::__cxa_eh_globals* of_thread = abi::__cxa_get_globals()) noexcept {
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

  /// Drops what the sanitizers keep of a resting fiber whose memory is about to go.
  void retire() noexcept { m_sanitizer.retire(m_stack, m_size); }

  /// Leaves the job for ever: this stack, and what it holds, is lost.
  [[noreturn]] void lose() noexcept {
    for (;;) suspend();
  }

  fiber* next = nullptr;  ///< of the pool's list that it rests in

 private:
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
  exception_globals m_exceptions;
  bool m_resting = true;
  [[no_unique_address]] sanitizer_fiber m_sanitizer;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
