#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../../atom.hpp"
#include "../../error_kind.hpp"
#include "../../term.hpp"
#include "../base/config.hpp"
#include "error_text.hpp"
#include "term_measure.hpp"

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
inline ERL_NIF_TERM without_arguments(ErlNifEnv* to, ERL_NIF_TERM stack_trace) noexcept {
  constexpr std::size_t most_entries = 100;
  constexpr std::size_t most_words = 100;
  std::array<ERL_NIF_TERM, most_entries> entries{};
  std::size_t count = 0;
  ERL_NIF_TERM entry = 0;
  while (count < entries.size() && enif_get_list_cell(to, stack_trace, &entry, &stack_trace)) {
    int arity = 0;
    const ERL_NIF_TERM* parts = nullptr;
    constexpr int parts_of_entry = 4;  // module, name, arity or arguments, location
    if (!enif_get_tuple(to, entry, &arity, &parts) || arity != parts_of_entry) continue;
    if (!detail::is_word(parts[0]) || !detail::is_word(parts[1])) continue;  // no module and name
    unsigned arguments = 0;
    const ERL_NIF_TERM known_arity =
        enif_get_list_length(to, parts[2], &arguments) ? enif_make_uint(to, arguments) : parts[2];
    term_measure location(most_words);
    const bool is_small = location.add(parts[3]) && location.functions().empty();
    entries[count++] = enif_make_tuple4(
        to, parts[0], parts[1], detail::is_word(known_arity) ? known_arity : atoms::nil.raw(),
        is_small ? enif_make_copy(to, parts[3]) : enif_make_list(to, 0));
  }
  return enif_make_list_from_array(to, entries.data(), static_cast<unsigned>(count));
}

/// Whether terms may be copied: they are small, and all of them is known.
inline bool may_be_copied(std::initializer_list<ERL_NIF_TERM> terms) noexcept {
  term_measure measure(most_error_words);
  for (const ERL_NIF_TERM each : terms)
    if (!measure.add(each)) return false;
  return measure.functions().empty();
}

/// Gives a stack trace that may be copied.
inline ERL_NIF_TERM stack_trace_to_copy(ErlNifEnv* to, ERL_NIF_TERM stack_trace) noexcept {
  return detail::may_be_copied({stack_trace}) ? stack_trace
                                              : detail::without_arguments(to, stack_trace);
}

/// Copies terms to `to`. What may not be copied becomes text, and says so: false then.
inline bool copy_error_terms(ErlNifEnv* to, error_kind kind, const error_terms& from,
                             error_terms& made) {
  const bool is_whole = detail::may_be_copied({from.reason, from.exception});
  if (is_whole) {
    made.reason = enif_make_copy(to, from.reason);
    made.exception = enif_make_copy(to, from.exception);
  } else {
    made.reason = detail::text_in_place_of(to, kind, from);
    made.exception = atoms::nil.raw();
  }
  made.stack_trace = detail::may_be_copied({from.stack_trace})
                         ? enif_make_copy(to, from.stack_trace)
                         : detail::without_arguments(to, from.stack_trace);
  return is_whole;
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
  const char* text() noexcept {
    try {
      const std::lock_guard locked(m_mutex);
      ensure_text();
      return m_text->c_str();
    } catch (...) {  // no memory
      return "an error of Elixir's";
    }
  }

  /// Whether the text stands in the place of the terms, for those who can't read them where they
  /// are.
  bool is_text() noexcept {
    const std::lock_guard locked(m_mutex);
    own();
    return m_is_text;
  }

  /// Gives the terms in `env`: themselves where they are there, else copies.
  error_terms in(ErlNifEnv* env) noexcept {
    const std::lock_guard locked(m_mutex);
    if (m_step != nullptr && m_step == env) return m_borrowed;
    if (m_kept) {
      if (const std::optional<error_terms> here = m_kept->here(env)) return *here;
    }
    own();
    return {enif_make_copy(env, m_owned.reason), enif_make_copy(env, m_owned.exception),
            enif_make_copy(env, m_owned.stack_trace)};
  }
  /// Gives one of the terms in an environment of ours.
  owned_term owned(ERL_NIF_TERM error_terms::*which) noexcept {
    const std::lock_guard locked(m_mutex);
    own();
    return {m_env, m_owned.*which};
  }

  /// See `kept_error`.
  ERL_NIF_TERM reply_here(ErlNifEnv* env) noexcept {
    const std::lock_guard locked(m_mutex);
    return m_kept ? m_kept->reply_here(env) : 0;
  }
  std::optional<owned_term> banner_here() {
    const kept_error* kept = nullptr;  // which stays, once there is one
    {
      const std::lock_guard locked(m_mutex);
      kept = m_kept.get();
    }
    return kept != nullptr ? kept->banner_here() : std::nullopt;
  }

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
  void own() noexcept {
    if (std::exchange(m_is_owned, true)) return;
    try {
      auto env = std::make_shared<owned_env>();
      m_is_text = !detail::copy_error_terms(env->get(), m_kind, m_borrowed, m_owned);
      if (m_is_text && !m_text)
        m_text = detail::error_text(m_kind, m_borrowed);  // while they are here
      m_env = std::move(env);
    } catch (...) {  // no memory
      m_owned = {atoms::system_limit.raw(), atoms::nil.raw(), atoms::nil.raw()};
      m_is_text = true;
    }
  }
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
