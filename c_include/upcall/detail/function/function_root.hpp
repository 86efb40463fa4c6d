#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <utility>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../call/native_call.hpp"
#include "../frame/frame.hpp"
#include "../frame/frame_requests.hpp"
#include "../pinned/pinned_call.hpp"
#include "../term/call_here.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives the frame that is running. Throws: `error` where there is none.
inline frame& running_frame() {
  frame* const running = current_frame();
  if (running == nullptr) throw_no_native_call();
  return *running;
}

/// Gives the running frame, which must be able to make an upcall. Throws: `error`, `abandoned`.
inline frame& frame_for_upcall() {
  frame& running = running_frame();
  running.check_may_suspend();
  return running;
}

[[noreturn]] UPCALL_COLD inline void throw_function_moved_from() {
  raise("Elixir.RuntimeError", "this function of Elixir's was moved from");
}

/// A counted handle to a root that is a function.
class function_root {
 public:
  /// Makes `raw`, a term of `env`, a root of the native call here. Throws: `error`; `abandoned`.
  static function_root add(ErlNifEnv* env, ERL_NIF_TERM raw) {
    native_call* const call = current_call();
    if (call == nullptr)
      raise("Elixir.RuntimeError",
            "an upcall::function can be decoded inside a native call of Upcall only; elsewhere, "
            "take an upcall::kept_function");
    return function_root(call->add_root(env, raw));
  }

  /// Finds or makes the running call's root of a kept function. Throws: `error`; `abandoned`.
  static function_root of_kept(const function_copy& copy) {
    return function_root(call_or_throw().root_of(copy));
  }

  /// Gives the function's frame, for an upcall; null where it belongs to a pinned call. Throws:
  /// `error` where its frame is not the running one.
  [[nodiscard]] frame* owner() const {
    if (!m_root) detail::throw_function_moved_from();
    native_call* const running = m_root->place().here();
    if (running == nullptr) return no_frame();
    auto* const owning = static_cast<frame*>(running);  // a pinned call has no place
    owning->check_may_suspend();
    return owning;
  }
  /// Throws: `error` where it does not belong to `running`.
  void check_owner(const frame& running) const {
    if (!m_root) detail::throw_function_moved_from();
    if (m_root->place().number != running.number()) throw_elsewhere();
  }
  /// Gives the term, in the frame that it belongs to. Throws: `error` where that is another.
  [[nodiscard]] ERL_NIF_TERM in(const frame& running) const {
    check_owner(running);
    return running.root_term(m_root->index());
  }
  /// Ends the enumeration that this root continues, where the calling code runs in its frame.
  void halt_later();
  [[nodiscard]] std::uint32_t index() const noexcept { return m_root->index(); }
  /// Gives the pinned call that it belongs to, where `owner` is null.
  [[nodiscard]] pinned_call& pinned() const noexcept {
    return static_cast<pinned_call&>(*m_root->owner);
  }

  /// Gives the function, as a term of its native call. Throws: `error`; `abandoned`.
  [[nodiscard]] ERL_NIF_TERM raw() const { return call_here().fetch_root(m_root); }
  /// Finds or makes the copy that outlives its call. Throws: as `raw`.
  [[nodiscard]] function_copy keep() const { return call_here().copy_of(m_root); }

 private:
  explicit function_root(root_handle made) noexcept : m_root(std::move(made)) {}

  UPCALL_COLD frame* no_frame() const {
    if (m_root->owner == nullptr) throw_elsewhere();
    return nullptr;
  }
  /// Gives its call, where the calling code may use the function.
  [[nodiscard]] native_call& call_here() const;

  [[noreturn]] UPCALL_COLD static void throw_elsewhere();

  root_handle m_root;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "function_root.ipp"  // IWYU pragma: export
#endif
