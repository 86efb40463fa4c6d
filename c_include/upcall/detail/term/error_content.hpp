#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "../../atom.hpp"
#include "../../error_kind.hpp"
#include "../../term.hpp"
#include "../base/config.hpp"
#include "error_text.hpp"

// What copies of an `upcall::error` share: terms, as long as somebody may want them, and a text,
// once somebody has wanted it. Others include error.hpp, which needs this one before it.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How many words of an error's terms are copied at most: half a megabyte.
inline constexpr std::size_t most_error_words = std::size_t{64} * 1024;

/// Where Elixir keeps the terms of an error, for the native call that caught it.
class kept_error {
 public:
  kept_error() = default;
  kept_error(const kept_error&) = delete;
  kept_error& operator=(const kept_error&) = delete;
  virtual ~kept_error() = default;
  /// Gives the terms, where the calling code runs in that native call and `env` is that one's.
  [[nodiscard]] virtual std::optional<error_terms> here(ErlNifEnv* env) const noexcept = 0;
  /// Gives what the NIF returns to raise them, where those who keep them know only that; else 0.
  [[nodiscard]] virtual ERL_NIF_TERM reply_here(ErlNifEnv* env) const noexcept = 0;
  /// Asks who keeps them for what Elixir would print of them, where the calling code runs there and
  /// that can be asked. Throws: `error`; `abandoned`.
  [[nodiscard]] virtual std::optional<owned_term> banner_here() const = 0;
};

/// The stack trace with arities in the place of arguments, which may be of any size.
ERL_NIF_TERM without_arguments(ErlNifEnv* to, ERL_NIF_TERM stack_trace) noexcept;

/// Whether terms may be copied: they are small, and all of them is known.
bool may_be_copied(std::initializer_list<ERL_NIF_TERM> terms) noexcept;

/// Gives a stack trace that may be copied.
inline ERL_NIF_TERM stack_trace_to_copy(ErlNifEnv* to, ERL_NIF_TERM stack_trace) noexcept {
  return detail::may_be_copied({stack_trace}) ? stack_trace
                                              : detail::without_arguments(to, stack_trace);
}

/// Where an error has come from.
struct error_origin {
  std::string module{};  ///< of the exception that is to be made of the reason; empty where it was
  bool has_begun = true;
};

/// What copies of an error share. Its terms are *borrowed* in the step of the frame that caught it,
/// where they are Elixir's own and nothing is copied. When the step is left they are *owned*,
/// copied once, or, where they are too large for that, *kept* by Elixir for the native call; who
/// can't read them there has the text in their place.
/// Threads: any.
class error_content {
 public:
  /// Of what a function did. `step` is the environment of the step that the terms are borrowed
  /// from, until `end_step`.
  error_content(error_kind kind, ErlNifEnv* step, const error_terms& borrowed) noexcept
      : m_kind(kind), m_step(step), m_borrowed(borrowed) {}
  /// Of terms of its own.
  error_content(error_kind kind, std::shared_ptr<owned_env> env, const error_terms& owned,
                error_origin origin = {}) noexcept
      : m_kind(kind),
        m_origin(std::move(origin)),
        m_is_owned(true),
        m_env(std::move(env)),
        m_owned(owned) {}
  error_content(const error_content&) = delete;
  error_content& operator=(const error_content&) = delete;

  [[nodiscard]] error_kind kind() const noexcept { return m_kind; }
  [[nodiscard]] const error_origin& origin() const noexcept { return m_origin; }

  /// Sets the text, in the place of one made of the terms. Before others see this, as the next.
  void describe(std::string text) noexcept { m_text = std::move(text); }
  /// Says that its own terms are text, in the place of those kept for a native call, or of none.
  void stand_for(std::unique_ptr<kept_error> kept) noexcept {
    m_is_text = true;
    m_kept = std::move(kept);
  }

  /// Gives the text; it stays as long as this.
  const char* text() noexcept;

  /// Whether the text stands in the place of the terms, for those who can't read them where they
  /// are.
  bool is_text() noexcept;

  /// Gives the terms in `env`: themselves where they are there, else copies.
  error_terms in(ErlNifEnv* env) noexcept;
  /// Gives one of the terms in an environment of ours.
  owned_term owned(ERL_NIF_TERM error_terms::*which) noexcept;

  /// See `kept_error`.
  ERL_NIF_TERM reply_here(ErlNifEnv* env) noexcept {
    const std::lock_guard locked(m_mutex);
    return m_kept ? m_kept->reply_here(env) : 0;
  }
  std::optional<owned_term> banner_here();

  /// Ends the step that the terms are borrowed from: takes them along. Where they are too large,
  /// `keep()` makes Elixir keep them; it may give null. Threads: that of the step.
  template <class Keep>
  void end_step(const Keep& keep) noexcept {
    const std::lock_guard locked(m_mutex);
    own();
    m_step = nullptr;
    if (!m_is_text) return;
    try {
      m_kept = keep();
    } catch (...) {  // no memory: the text has to do
    }
  }

 private:
  // With the lock, as the next.
  void own() noexcept;
  void ensure_text() {
    if (!m_text) m_text = detail::error_text(m_kind, m_is_owned ? m_owned : m_borrowed);
  }

  const error_kind m_kind;
  const error_origin m_origin;
  std::mutex m_mutex;  // guards all below
  ErlNifEnv* m_step = nullptr;
  error_terms m_borrowed;
  std::unique_ptr<kept_error> m_kept;
  bool m_is_owned = false;
  bool m_is_text = false;  // what is owned, in the place of terms
  std::shared_ptr<owned_env> m_env;
  error_terms m_owned;
  std::optional<std::string> m_text;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "error_content.ipp"  // IWYU pragma: export
#endif
