#pragma once

#include <erl_nif.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../innermost_error.hpp"
#include "../call/native_call.hpp"
#include "exception_replies.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Puts the texts of what a C++ exception was thrown around in front of its message. A reason that
/// has none stays as it is.
UPCALL_RUNTIME ERL_NIF_TERM with_outer_text(ErlNifEnv* env, ERL_NIF_TERM reason,
                                            const std::string& outer) {
  const bool has_field = detail::is_exception(reason);
  const ERL_NIF_TERM message = has_field ? detail::field_of(reason, atoms::message) : reason;
  ErlNifBinary text{};
  if (outer.empty() || message == 0 || !enif_inspect_binary(env, message, &text)) return reason;
  const ERL_NIF_TERM whole = detail::make_text(
      env, outer + ": " + std::string(reinterpret_cast<const char*>(text.data), text.size));
  ERL_NIF_TERM made = whole;
  if (has_field) enif_make_map_update(env, reason, atoms::message.raw(), whole, &made);
  return made;
}

UPCALL_RUNTIME ERL_NIF_TERM error_reply(ErlNifEnv* env, const error& failure,
                                        const std::string& outer) {
  if (const ERL_NIF_TERM kept = failure.content().reply_here(env); kept != 0) return kept;
  const error_terms terms = failure.content().in(env);
  const auto reply = [&](const static_atom& kind, ERL_NIF_TERM reason) {
    return detail::make_tuple(env, atoms::raise.raw(), kind.raw(), reason, terms.stack_trace);
  };
  if (failure.native_module() != nullptr) {
    return detail::make_tuple(env, atoms::raise_exception.raw(),
                              detail::make_atom(env, failure.native_module()),
                              detail::with_outer_text(env, terms.reason, outer));
  }
  switch (failure.kind()) {
    case error_kind::raised:
      return reply(atoms::error, detail::with_outer_text(env, terms.reason, outer));
    case error_kind::exited:
      return reply(atoms::exit, terms.reason);
    case error_kind::threw:
      return reply(atoms::throw_, terms.reason);
    default:  // an executor's failure
      return reply(atoms::error, detail::with_outer_text(env, terms.exception, outer));
  }
}

UPCALL_RUNTIME ERL_NIF_TERM bad_term_reply(ErlNifEnv* env, nif_identity nif,
                                           const bad_term& failure) {
  if (failure.got().is_stale()) {
    return detail::exception_reply(env, "Elixir.ArgumentError",
                                   failure.where() + "expected " + failure.expected());
  }
  return enif_make_tuple6(env, atoms::bad_term.raw(), detail::make_text(env, nif.name),
                          enif_make_int(env, nif.arity), detail::make_text(env, failure.where()),
                          detail::make_text(env, failure.expected()), failure.got().raw());
}

UPCALL_RUNTIME void translate(const std::exception_ptr& failure) {
  for (translator* each = translator::first(); each != nullptr; each = each->next())
    each->translate(failure);
  std::rethrow_exception(failure);
}

UPCALL_RUNTIME elixir_exception elixir_exception_of_current() {
  constexpr auto argument_error = "Elixir.ArgumentError";
  constexpr auto runtime_error = "Elixir.RuntimeError";
  try {
    throw;
  } catch (const std::invalid_argument& e) {
    return {argument_error, e.what()};
  } catch (const std::out_of_range& e) {
    return {argument_error, e.what()};
  } catch (const std::domain_error& e) {
    return {argument_error, e.what()};
  } catch (const std::bad_alloc&) {
    return {nullptr, {}};
  } catch (const std::exception& e) {
    const char* const text = e.what();
    return {runtime_error, text == nullptr ? "" : text};
  } catch (...) {
    return {runtime_error, "a C++ exception of type " + type_name_of_current_exception()};
  }
}

UPCALL_RUNTIME ERL_NIF_TERM reply_of(ErlNifEnv* env, nif_identity nif,
                                     const std::exception_ptr& failure) {
  try {
    translate(failure);
  } catch (const bad_term& e) {
    return detail::bad_term_reply(env, nif, e);
  } catch (...) {
    if (const nested_error nested(std::current_exception()); nested.innermost)
      return detail::error_reply(env, *nested.innermost, nested.outer);
    const elixir_exception made = elixir_exception_of_current();
    return made.module == nullptr ? detail::system_limit_reply(env)
                                  : detail::exception_reply(env, made.module, made.text);
  }
}

UPCALL_RUNTIME ERL_NIF_TERM raise_error(ErlNifEnv* env, const error& failure,
                                        const std::string& outer) {
  const auto raise_pair = [&](const char* word) {
    return enif_raise_exception(env, detail::make_tuple(env, detail::make_atom(env, word),
                                                        failure.content().in(env).reason));
  };
  if (failure.kind() == error_kind::exited) return raise_pair("exit");
  if (failure.kind() == error_kind::threw) return raise_pair("nocatch");
  return enif_raise_exception(env, detail::with_outer_text(env, failure.exception(env), outer));
}

UPCALL_RUNTIME ERL_NIF_TERM raise_current_exception(ErlNifEnv* env) noexcept {
  try {
    translate(std::current_exception());
  } catch (const abandoned&) {
    return atoms::ok.raw();  // nobody sees it: the process is dead
  } catch (const bad_term& e) {
    return enif_raise_exception(env,
                                detail::make_exception(env, "Elixir.ArgumentError",
                                                       e.where() + "expected " + e.expected()));
  } catch (...) {
    if (const nested_error nested(std::current_exception()); nested.innermost)
      return detail::raise_error(env, *nested.innermost, nested.outer);
    const elixir_exception made = elixir_exception_of_current();
    return enif_raise_exception(env, made.module == nullptr
                                         ? detail::make_atom(env, "system_limit")
                                         : detail::make_exception(env, made.module, made.text));
  }
}

UPCALL_RUNTIME ERL_NIF_TERM reply_of_current_exception(ErlNifEnv* env, nif_identity nif) noexcept {
  try {
    return detail::reply_of(env, nif, std::current_exception());
  } catch (...) {  // no memory even for the text
    return detail::system_limit_reply(env);
  }
}

UPCALL_RUNTIME ERL_NIF_TERM reply_in_nif(ErlNifEnv* env, nif_identity nif) noexcept {
  if (!enif_has_pending_exception(env, nullptr)) return reply_of_current_exception(env, nif);
  detail::raise_current_exception(env);
  return atoms::ok.raw();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
