#pragma once

#include <coroutine>
#include <type_traits>
#include <utility>

#include "detail/base/never.hpp"
#include "detail/coroutine/coroutine_nif.hpp"
#include "detail/coroutine/task_promise.hpp"
#include "error.hpp"

namespace upcall UPCALL_HIDDEN {

/// The return type of a NIF that is a coroutine, and of the coroutines that it awaits:
///
///     upcall::task<double> sum(upcall::async_function<double(double)> f, int count) {
///       double total = 0;
///       for (int i = 0; i < count; ++i) total += co_await f(i);
///       co_return total;
///     }
///     UPCALL_NIF(sum);
///
/// It needs no stack of its own, and so less memory than a fiber; but only the coroutine itself can
/// wait, and not code that it calls. A task begins when it is awaited (that of
/// a NIF, at once), and goes where it is: chains of tasks that await each other may be as long as
/// memory allows. One that is destroyed before it has ended destroys what it holds.
///
/// The parameters of a NIF are values. Those of other tasks may be references, to what lives until
/// the task is awaited: `co_await helper(text)` is right, and a task that is stored keeps no
/// temporary that it was made with. A lambda that is a coroutine must outlive its task, too.
/// docs/coroutines.md lists the expressions that compilers get wrong.
///
/// Threads: the frame's own, and after a `co_await` you may be on another one; see
/// `upcall::function` for what may not be held across it.
template <class R = void>
class [[nodiscard("a task does nothing before it is awaited: co_await it")]] task {
  static_assert(!std::is_reference_v<R>, "a task gives a value: what it refers to would be gone");

 public:
  using promise_type = detail::task_promise<R>;

  task(task &&) noexcept = default;
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  task& operator=(task&&) = delete;
  ~task() = default;

  // Where the value is meant, the compiler says what is missing.
  operator R() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_void_v<R>) {
    static_assert(detail::never<R>, "a task does nothing before it is awaited: co_await it");
  }

 private:
  friend promise_type;
  template <class Task>
  friend class detail::task_awaiter;
  template <class Body>
  friend class detail::coroutine_nif;
  explicit task(promise_type & promise) noexcept : m_owner(&promise), m_promise(&promise) {}

  detail::coroutine_owner m_owner;
  promise_type* m_promise;
};

namespace detail {

template <class R>
task<R> task_promise<R>::get_return_object() noexcept {
  return task<R>(*this);
}
inline task<void> task_promise<void>::get_return_object() noexcept { return task<void>(*this); }

/// Waits for a task of the same frame.
template <class R>
class task_awaiter<task<R>> {
 public:
  task_awaiter(coroutine_promise& caller, task<R>&& awaited)
      : m_caller(caller), m_owner(std::move(awaited.m_owner)), m_awaited(awaited.m_promise) {
    if (m_owner.promise() == nullptr)
      raise("Elixir.RuntimeError", "this upcall::task was awaited already");
  }

  static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) noexcept {
    m_awaited->caller = &m_caller;
    m_awaited->owner = &m_owner;
    m_awaited->running = m_caller.running;
    m_caller.running->go_on_in(*m_awaited);
  }
  R await_resume() { return m_awaited->take(); }

 private:
  coroutine_promise& m_caller;
  coroutine_owner m_owner;
  typename task<R>::promise_type* m_awaited;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#include "detail/coroutine/awaiters.hpp"    // IWYU pragma: export
#include "detail/coroutine/task_frame.hpp"  // IWYU pragma: export
