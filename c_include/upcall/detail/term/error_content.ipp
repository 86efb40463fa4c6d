#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "../../atom.hpp"
#include "../../error_kind.hpp"
#include "../../term.hpp"
#include "../base/config.hpp"
#include "error_content.hpp"
#include "error_text.hpp"
#include "term_measure.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM without_arguments(ErlNifEnv* to, ERL_NIF_TERM stack_trace) noexcept {
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

UPCALL_RUNTIME bool may_be_copied(std::initializer_list<ERL_NIF_TERM> terms) noexcept {
  term_measure measure(most_error_words);
  for (const ERL_NIF_TERM each : terms)
    if (!measure.add(each)) return false;
  return measure.functions().empty();
}

/// Copies terms to `to`. What may not be copied becomes text, and says so: false then.
UPCALL_RUNTIME bool copy_error_terms(ErlNifEnv* to, error_kind kind, const error_terms& from,
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

UPCALL_RUNTIME const char* error_content::text() noexcept {
  try {
    const std::lock_guard locked(m_mutex);
    ensure_text();
    return m_text->c_str();
  } catch (...) {  // no memory
    return "an error of Elixir's";
  }
}

UPCALL_RUNTIME bool error_content::is_text() noexcept {
  const std::lock_guard locked(m_mutex);
  own();
  return m_is_text;
}

UPCALL_RUNTIME error_terms error_content::in(ErlNifEnv* env) noexcept {
  const std::lock_guard locked(m_mutex);
  if (m_step != nullptr && m_step == env) return m_borrowed;
  if (m_kept) {
    if (const std::optional<error_terms> here = m_kept->here(env)) return *here;
  }
  own();
  return {enif_make_copy(env, m_owned.reason), enif_make_copy(env, m_owned.exception),
          enif_make_copy(env, m_owned.stack_trace)};
}

UPCALL_RUNTIME owned_term error_content::owned(ERL_NIF_TERM error_terms::*which) noexcept {
  const std::lock_guard locked(m_mutex);
  own();
  return {m_env, m_owned.*which};
}

UPCALL_RUNTIME std::optional<owned_term> error_content::banner_here() {
  const kept_error* kept = nullptr;  // which stays, once there is one
  {
    const std::lock_guard locked(m_mutex);
    kept = m_kept.get();
  }
  return kept != nullptr ? kept->banner_here() : std::nullopt;
}

UPCALL_RUNTIME void error_content::own() noexcept {
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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
