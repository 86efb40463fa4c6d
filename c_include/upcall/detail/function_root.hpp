#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "../codec.hpp"
#include "../error.hpp"
#include "frame.hpp"
#include "frame_replies.hpp"
#include "pinned_requests.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

[[noreturn]] UPCALL_COLD inline void throw_no_native_call() {
  if (this_thread_frames().destructor_env != nullptr) {
    raise("Elixir.RuntimeError",
          "an upcall was made in the destructor of a resource, where no process waits for it; in "
          "a destructor, use f.on(executor).cast(…), or try_call");
  }
  if (enif_thread_type() == ERL_NIF_THR_UNDEFINED) {
    raise("Elixir.RuntimeError",
          "an upcall was made on a thread that runs no native call of Upcall; there, call a "
          "function that is bound to an executor, f.on(executor), or declare the NIF "
          "upcall::pinned, whose threads may call its functions");
  }
  raise("Elixir.RuntimeError",
        "an upcall was made outside of a native call of Upcall; make the NIF one (UPCALL_NIF, or "
        "UPCALL_ENTRY in a table of yours), and make upcalls in its body");
}

/// Gives the running frame. Throws: `error` where there is none.
inline frame& running_frame() {
  frame* const running = current_frame();
  if (running == nullptr) {
    throw_no_native_call();
  }
  return *running;
}

/// Gives the running frame, which must be able to make an upcall. Throws: `error`, `abandoned`.
inline frame& frame_for_upcall() {
  frame& running = running_frame();
  running.check_may_suspend();
  return running;
}

/// The same, where it need not be able to wait for the upcall in place: a coroutine awaits it.
inline frame& frame_for_await() {
  frame& running = running_frame();
  running.check_may_await();
  return running;
}

/// A counted handle to a root that is a function.
class function_root {
 public:
  /// Makes `raw`, a term of `env`, a root of the running call.
  static function_root add(ErlNifEnv* env, ERL_NIF_TERM raw) {
    frame* const running = current_frame();
    if (running == nullptr) {
      pinned_call* const call = current_pinned_call();
      if (call == nullptr)
        raise("Elixir.RuntimeError",
              "an upcall::function can be decoded inside a native call of Upcall only; elsewhere, "
              "take an upcall::kept_function");
      return function_root(call->add_root(env, raw));
    }
    if (running->is_abandoned()) throw abandoned{};
    return function_root(running->add_root(detail::in_frame(env, raw)));
  }

  /// Finds or makes the running call's root of a kept function.
  static function_root of_kept(const function_copy& copy) {
    if (current_frame() == nullptr && current_pinned_call() != nullptr)
      return function_root(current_pinned_call()->root_of(copy));
    return function_root(frame_for_await().root_of(copy));
  }

  /// Gives the function's frame, for an upcall; null where it belongs to a pinned call. Throws:
  /// `error` where its frame is not the running one.
  [[nodiscard]] frame* owner() const {
    if (!m_root) detail::throw_function_moved_from();
    frame* const running = m_root->frame().here();
    if (running == nullptr) return no_frame();
    running->check_may_suspend();
    return running;
  }
  /// Throws: `error` where it does not belong to `running`.
  void check_owner(const frame& running) const {
    if (!m_root) detail::throw_function_moved_from();
    if (m_root->frame().number != running.number()) throw_elsewhere();
  }
  /// Gives the term, in the frame that it belongs to. Throws: `error` where that is another.
  [[nodiscard]] ERL_NIF_TERM in(const frame& running) const {
    check_owner(running);
    return running.root_term(m_root->index());
  }
  /// Has the enumeration that this goes on with ended by its frame, where that is running here.
  void halt_later() {
    if (!m_root) return;
    frame* const running = m_root->frame().here();
    // Nobody enumerates for a process that is gone.
    if (running != nullptr && running->env() != nullptr) running->halt_later(std::move(m_root));
  }
  [[nodiscard]] std::uint32_t index() const noexcept { return m_root->index(); }
  /// Gives the pinned call that it belongs to, where `owner` is null.
  [[nodiscard]] pinned_call& pinned() const noexcept { return *m_root->pinned; }

  /// Gives the function, in the frame's environment or that of the pinned call.
  [[nodiscard]] ERL_NIF_TERM raw() const {
    if (!m_root) detail::throw_function_moved_from();
    frame* const running = m_root->frame().here();
    if (running == nullptr) {
      no_frame();
      return pinned().keep(pinned().fetch_root(index()).raw());
    }
    if (running->is_abandoned()) throw abandoned{};
    return running->root_term(m_root->index());
  }
  /// Finds or makes the copy that outlives its call. Throws: as `raw`.
  [[nodiscard]] function_copy keep() const {
    if (!m_root) detail::throw_function_moved_from();
    frame* const running = m_root->frame().here();
    if (running == nullptr) {
      no_frame();
      return pinned().copy_of(m_root);
    }
    if (running->is_abandoned()) throw abandoned{};
    return running->copy_of(m_root);
  }

 private:
  explicit function_root(root_handle made) noexcept : m_root(std::move(made)) {}

  UPCALL_COLD frame* no_frame() const {
    if (m_root->pinned == nullptr) throw_elsewhere();
    return nullptr;
  }

  [[noreturn]] UPCALL_COLD static void throw_elsewhere() {
    frame_for_await();  // says so where there is none at all
    raise("Elixir.RuntimeError",
          "this function of Elixir's belongs to another native call, or to one that has ended; "
          "use keep() for one that outlives its call");
  }

  root_handle m_root;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
