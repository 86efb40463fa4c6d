#pragma once

#include <erl_nif.h>

#include <memory>
#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "error_content.hpp"
#include "outcome.hpp"
#include "term_measure.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME parsed_outcome parse_outcome(ErlNifEnv* env, ERL_NIF_TERM outcome) {
  ERL_NIF_TERM parts[3];
  ERL_NIF_TERM rest = outcome;
  for (ERL_NIF_TERM& part : parts) {
    if (!enif_get_list_cell(env, rest, &part, &rest)) detail::throw_malformed_outcome();
  }
  if (!enif_is_list(env, rest)) detail::throw_malformed_outcome();
  const error_kind kind = enif_is_identical(parts[0], atoms::error.raw())  ? error_kind::raised
                          : enif_is_identical(parts[0], atoms::exit.raw()) ? error_kind::exited
                                                                           : error_kind::threw;
  return {kind, {parts[1], parts[2], rest}};
}

UPCALL_RUNTIME const static_atom& class_of(error_kind kind) noexcept {
  switch (kind) {
    case error_kind::exited:
      return atoms::exit;
    case error_kind::threw:
      return atoms::throw_;
    default:
      return atoms::error;
  }
}

UPCALL_RUNTIME ERL_NIF_TERM make_outcome(ErlNifEnv* env, error_kind kind,
                                         const error_terms& terms) noexcept {
  ERL_NIF_TERM made = enif_make_list_cell(env, terms.exception, terms.stack_trace);
  made = enif_make_list_cell(env, terms.reason, made);
  return enif_make_list_cell(env, detail::class_of(kind).raw(), made);
}

UPCALL_RUNTIME bool is_outcome(ERL_NIF_TERM outcome) noexcept {
  try {
    detail::parse_outcome(detail::env_for_words(), outcome);
    return true;
  } catch (const error&) {
    return false;
  }
}

UPCALL_RUNTIME ERL_NIF_TERM make_text_outcome(ErlNifEnv* env, ERL_NIF_TERM outcome) {
  const parsed_outcome parsed = detail::parse_outcome(env, outcome);
  return detail::make_outcome(
      env, parsed.kind,
      {detail::text_in_place_of(env, parsed.kind, parsed.terms), atoms::text.raw(),
       detail::stack_trace_to_copy(env, parsed.terms.stack_trace)});
}

UPCALL_RUNTIME bounded_outcome::bounded_outcome(ErlNifEnv* env, ERL_NIF_TERM seen) : m_env(env) {
  constexpr unsigned most_rounds = 100;
  unsigned length = 0;
  ERL_NIF_TERM newest = 0;
  if (!enif_get_list_cell(env, seen, &newest, &seen)) detail::throw_malformed_outcome();
  term_measure measure(most_error_words);
  m_may_copy = measure.add(newest);
  m_functions = measure.functions();  // of what was seen before, it is known
  m_outcome = newest;
  while (enif_get_list_cell(env, seen, &m_outcome, &seen)) {
    m_may_copy = m_may_copy && measure.add(m_outcome);
    if (++length > most_rounds) m_may_copy = false;
  }
  m_parsed = detail::parse_outcome(env, m_outcome);
  if (!m_may_copy) m_functions.clear();
}

UPCALL_RUNTIME error error_of_outcome(std::shared_ptr<owned_env> env, ERL_NIF_TERM outcome,
                                      std::unique_ptr<kept_error> kept) {
  parsed_outcome parsed =
      detail::parse_outcome(env ? env->get() : detail::env_for_words(), outcome);
  const bool is_text = enif_is_identical(parsed.terms.exception, atoms::text.raw());
  if (is_text) parsed.terms.exception = atoms::nil.raw();
  auto content = std::make_shared<error_content>(parsed.kind, std::move(env), parsed.terms);
  if (is_text) content->stand_for(std::move(kept));
  return error(std::move(content));
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
