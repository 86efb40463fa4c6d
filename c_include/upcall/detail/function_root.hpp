#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "../error.hpp"
#include "frame.hpp"
#include "frame_replies.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives the running frame, which must be able to make an upcall. Throws: `error`, `abandoned`.
inline frame& frame_for_upcall() {
  frame* const running = current_frame();
  if (running == nullptr) {
    raise("Elixir.RuntimeError",
          "an upcall was made outside of a native call of Upcall, or on a thread that is not the "
          "call's own");
  }
  running->check_may_suspend();
  return *running;
}

/// A counted handle to a root that is a function.
class function_root {
 public:
  /// Makes `raw` a root of the running frame.
  static function_root add(ERL_NIF_TERM raw) {
    frame* const running = current_frame();
    if (running == nullptr)
      raise("Elixir.RuntimeError", "a function can be decoded inside a native call of Upcall only");
    if (running->is_abandoned()) throw abandoned{};
    return function_root(running->add_root(raw));
  }

  /// Finds or makes the running frame's copy of a kept function.
  static function_root of_kept(const std::shared_ptr<const owned_term>& copy) {
    frame& running = frame_for_upcall();
    for (const auto& [known, used] : running.kept_functions) {
      if (known == copy) return function_root(used);
    }
    root_handle made = running.add_root(copy->copy_to(running.env()));
    running.kept_functions.emplace_back(copy, made);
    return function_root(std::move(made));
  }

  /// Gives the function's frame, for an upcall. Throws: `error` where that is not the running one.
  [[nodiscard]] frame& owner() const {
    if (!m_root) throw_moved_from();
    frame* const running = m_root->frame().here();
    if (running == nullptr) throw_elsewhere();
    running->check_may_suspend();
    return *running;
  }
  [[nodiscard]] std::uint32_t index() const noexcept { return m_root->index(); }

  [[nodiscard]] ERL_NIF_TERM raw() const {
    if (!m_root) throw_moved_from();
    frame* const running = m_root->frame().here();
    if (running == nullptr) throw_elsewhere();
    if (running->is_abandoned()) throw abandoned{};
    return running->root_term(m_root->index());
  }

 private:
  explicit function_root(root_handle made) noexcept : m_root(std::move(made)) {}

  [[noreturn]] UPCALL_COLD static void throw_moved_from() {
    raise("Elixir.RuntimeError", "this upcall::function was moved from");
  }
  [[noreturn]] UPCALL_COLD static void throw_elsewhere() {
    frame_for_upcall();  // says so where there is none at all
    raise("Elixir.RuntimeError",
          "this upcall::function belongs to another native call, or to one that has ended; "
          "use function::keep() for one that outlives its call");
  }

  root_handle m_root;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
