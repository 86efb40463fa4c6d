#pragma once

#include <erl_nif.h>

#include <coroutine>
#include <exception>
#include <utility>

#include "config.hpp"

// What a coroutine and its frame know of each other.

namespace upcall UPCALL_HIDDEN {
namespace detail {

class frame;
class coroutine_frame;

/// Owns a coroutine that does not run.
class coroutine_owner {
 public:
  explicit coroutine_owner(std::coroutine_handle<> owned) noexcept : m_handle(owned) {}
  coroutine_owner(coroutine_owner&& other) noexcept : m_handle(other.release()) {}
  coroutine_owner(const coroutine_owner&) = delete;
  coroutine_owner& operator=(const coroutine_owner&) = delete;
  coroutine_owner& operator=(coroutine_owner&&) = delete;
  ~coroutine_owner() { destroy(); }

  void destroy() noexcept {
    if (m_handle) release().destroy();
  }
  std::coroutine_handle<> release() noexcept { return std::exchange(m_handle, {}); }
  [[nodiscard]] std::coroutine_handle<> handle() const noexcept { return m_handle; }

 private:
  std::coroutine_handle<> m_handle;
};

/// What every coroutine of ours knows of itself.
struct coroutine_promise {
  std::coroutine_handle<> self;
  coroutine_frame* running = nullptr;   ///< what it runs in, once it does
  coroutine_promise* caller = nullptr;  ///< that awaits it; null for the outermost
  coroutine_owner* owner = nullptr;     ///< of it, in its caller
  std::exception_ptr failure;           ///< that it has ended with
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
