#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "coroutine_frame.hpp"
#include "coroutine_promise.hpp"
#include "frame_memory.hpp"

namespace upcall UPCALL_HIDDEN {

template <class R>
class task;

namespace detail {

template <class Task>
class task_awaiter;

/// Specialised for each type that a coroutine can await: `make(by, awaited)` makes what waits for
/// it. (A function would be looked for in the user's namespaces, too.)
template <class Awaited>
struct awaiter_of;

template <class R>
struct awaiter_of<task<R>> {
  static task_awaiter<task<R>> make(coroutine_promise& by, task<R>&& awaited) {
    return {by, std::move(awaited)};
  }
};

template <class Awaited>
concept awaitable_here = requires(coroutine_promise& by, Awaited&& awaited) {
  awaiter_of<std::remove_cvref_t<Awaited>>::make(by, std::forward<Awaited>(awaited));
};

/// What all promises of ours do.
class promise_base : public coroutine_promise {
 public:
  static void* operator new(std::size_t size) {
    void* const memory = of_this_thread<frame_memory>().take(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }
  static void operator delete(void* memory, std::size_t size) noexcept {
    of_this_thread<frame_memory>().give(memory, size);
  }

  static std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }

  struct final_awaiter {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    static void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      coroutine_promise& promise = ended.promise();
      promise.running->leave_ended(promise);
    }
    static void await_resume() noexcept {}
  };
  static final_awaiter final_suspend() noexcept { return {}; }

  template <class Awaited>
  auto await_transform(Awaited&& awaited) {
    static_assert(
        awaitable_here<Awaited>,
        "an upcall::task can await another one (co_await std::move(task), where it has a name), a "
        "call of an upcall::async_function, an upcall::future, upcall::give_time(), "
        "upcall::exclusive::async_lock() and upcall::sequence::next(): only these give the "
        "scheduler back to Elixir");
    return awaiter_of<std::remove_cvref_t<Awaited>>::make(*this, std::forward<Awaited>(awaited));
  }
};

template <class R>
class task_promise final : public promise_base {
 public:
  task_promise() noexcept { self = std::coroutine_handle<task_promise>::from_promise(*this); }
  task<R> get_return_object() noexcept;

  template <class Value = R>
  requires std::constructible_from<R, Value>
  void return_value(Value&& value) { m_value.emplace(std::forward<Value>(value)); }

  /// Gives what the coroutine has ended with, once.
  R take() {
    if (failure) std::rethrow_exception(failure);
    return *std::move(m_value);
  }

 private:
  std::optional<R> m_value;
};

template <>
class task_promise<void> final : public promise_base {
 public:
  task_promise() noexcept { self = std::coroutine_handle<task_promise>::from_promise(*this); }
  task<void> get_return_object() noexcept;
  static void return_void() noexcept {}
  void take() const {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
