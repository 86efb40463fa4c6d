#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "../../atom.hpp"
#include "../../error_kind.hpp"
#include "../../owned_env.hpp"
#include "../base/atom_text.hpp"
#include "../base/config.hpp"
#include "error_text.hpp"
#include "term_printer.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How many bytes of text an error has at most.
inline constexpr std::size_t most_error_text = 1000;

UPCALL_RUNTIME ERL_NIF_TERM
make_exception(ErlNifEnv* env, const char* module, std::string_view message,
               std::initializer_list<std::pair<const char*, ERL_NIF_TERM>> fields) noexcept {
  ERL_NIF_TERM keys[] = {atoms::struct_.raw(), atoms::exception.raw(), atoms::message.raw()};
  ERL_NIF_TERM values[] = {detail::make_atom(env, module), atoms::true_.raw(),
                           detail::make_text(env, message)};
  ERL_NIF_TERM made = 0;
  enif_make_map_from_arrays(env, keys, values, 3, &made);
  for (const auto& [key, value] : fields)
    enif_make_map_put(env, made, detail::make_atom(env, key), value, &made);
  return made;
}

UPCALL_RUNTIME bool is_exception(ERL_NIF_TERM reason) noexcept {
  ErlNifEnv* const env = detail::env_for_words();
  if (!enif_is_map(env, reason)) return false;
  const ERL_NIF_TERM module = detail::field_of(reason, atoms::struct_);
  const ERL_NIF_TERM mark = detail::field_of(reason, atoms::exception);
  return module != 0 && enif_is_atom(env, module) && mark != 0 &&
         enif_is_identical(mark, atoms::true_.raw());
}

UPCALL_RUNTIME ERL_NIF_TERM exception_of(ErlNifEnv* env, const error_terms& terms) noexcept {
  if (detail::is_exception(terms.reason)) return terms.reason;
  if (detail::is_exception(terms.exception)) return terms.exception;
  ERL_NIF_TERM keys[] = {atoms::struct_.raw(), atoms::exception.raw(), atoms::original.raw()};
  ERL_NIF_TERM values[] = {atoms::erlang_error.raw(), atoms::true_.raw(), terms.reason};
  ERL_NIF_TERM made = 0;
  enif_make_map_from_arrays(env, keys, values, 3, &made);
  return made;
}

/// Puts `(KeyError) key :a not found`.
UPCALL_RUNTIME void print_raised(term_printer& to, const error_terms& terms) {
  const bool is_normal = detail::is_exception(terms.reason);
  if (!is_normal && !detail::is_exception(terms.exception)) {
    to << "(ErlangError) Erlang error: " << terms.reason;
    return;
  }
  const ERL_NIF_TERM exception = is_normal ? terms.reason : terms.exception;
  const ERL_NIF_TERM message = detail::field_of(exception, atoms::message);
  to << "(" << detail::field_of(exception, atoms::struct_) << ") ";
  if (message != 0 && to.add_binary(message)) return;
  const ERL_NIF_TERM key = detail::field_of(exception, atoms::key);
  const ERL_NIF_TERM original = detail::field_of(exception, atoms::original);
  if (enif_is_identical(detail::field_of(exception, atoms::struct_), atoms::key_error.raw()) &&
      key != 0) {
    to << "key " << key << " not found";
  } else if (original != 0) {
    to << "Erlang error: " << original;
  } else {
    to.print_map(exception);
  }
}

UPCALL_RUNTIME void print_exit(term_printer& to, ERL_NIF_TERM reason) {
  for (const static_atom* each : {&atoms::normal, &atoms::shutdown, &atoms::killed}) {
    if (!enif_is_identical(reason, each->raw())) continue;
    to << each->name();
    return;
  }
  to << reason;
}

UPCALL_RUNTIME std::string error_text(error_kind kind, const error_terms& terms) {
  term_printer made(most_error_text);
  made << "** ";
  if (kind == error_kind::raised) {
    detail::print_raised(made, terms);
  } else if (kind == error_kind::exited) {
    made << "(exit) ";
    detail::print_exit(made, terms.reason);
  } else {
    made << "(throw) " << terms.reason;
  }
  return made.take();
}

UPCALL_RUNTIME ERL_NIF_TERM text_in_place_of(ErlNifEnv* env, error_kind kind,
                                             const error_terms& terms) {
  term_printer made(most_error_text);
  if (kind == error_kind::raised) {
    detail::print_raised(made, terms);
  } else {
    made << terms.reason;
  }
  const std::string text =
      made.take() + " (text in the place of a term that is too large to be copied)";
  return kind == error_kind::raised ? detail::make_exception(env, "Elixir.RuntimeError", text)
                                    : detail::make_text(env, text);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
