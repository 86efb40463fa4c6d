#pragma once

#include <erl_nif.h>

#include <coroutine>
#include <exception>
#include <utility>

#include "../base/config.hpp"
#include "../base/of_this_thread.hpp"

// What a coroutine and its frame know of each other.

namespace upcall UPCALL_HIDDEN {
namespace detail {

class frame;
class coroutine_frame;

class coroutine_owner;

/// What every coroutine of ours knows of itself.
struct coroutine_promise {
  std::coroutine_handle<> self;
  coroutine_frame* running = nullptr;   ///< what it runs in, once it does
  coroutine_promise* caller = nullptr;  ///< that awaits it; null for the outermost
  coroutine_owner* owner = nullptr;     ///< of it, in its caller
  std::exception_ptr failure;           ///< that it has ended with
};

/// Destroys the coroutines of one thread. Each may own others that were not awaited, which may own
/// others: of a long chain, some wait until those that they were nested in are gone, as each takes
/// a piece of the stack.
class coroutine_destroyer {
 public:
  void destroy(coroutine_promise& left) noexcept;

 private:
  unsigned m_depth = 0;
  coroutine_promise* m_waiting = nullptr;
};

/// Owns a coroutine that does not run.
class coroutine_owner {
 public:
  explicit coroutine_owner(coroutine_promise* owned) noexcept : m_promise(owned) {}
  coroutine_owner(coroutine_owner&& other) noexcept
      : m_promise(std::exchange(other.m_promise, nullptr)) {}
  coroutine_owner(const coroutine_owner&) = delete;
  coroutine_owner& operator=(const coroutine_owner&) = delete;
  coroutine_owner& operator=(coroutine_owner&&) = delete;
  ~coroutine_owner() { destroy(); }

  void destroy() noexcept {
    if (m_promise != nullptr)
      of_this_thread<coroutine_destroyer>().destroy(*std::exchange(m_promise, nullptr));
  }
  /// Null for one that was moved from.
  [[nodiscard]] coroutine_promise* promise() const noexcept { return m_promise; }

 private:
  coroutine_promise* m_promise;
};

/// What a coroutine awaits that wants an outcome before the coroutine goes on.
class outcome_taker {
 public:
  outcome_taker() = default;
  outcome_taker(const outcome_taker&) = delete;
  outcome_taker& operator=(const outcome_taker&) = delete;
  /// Decodes what a function returned. Throws: `bad_term`, for which the function is blamed in
  /// Elixir; anything else, for which the coroutine is told.
  virtual void take(frame& running, ERL_NIF_TERM returned) = 0;

 protected:
  ~outcome_taker() = default;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "coroutine_promise.ipp"  // IWYU pragma: export
#endif
