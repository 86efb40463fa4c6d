#pragma once

#include <erl_nif.h>

#include <optional>
#include <string>

#include "../../error.hpp"
#include "../call/native_call.hpp"
#include "call_here.hpp"
#include "error_banner.hpp"
#include "outcome.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM banner_arguments(ErlNifEnv* env, const error& failure) {
  error_terms terms = failure.content().in(env);
  const bool is_of_executor = failure.kind() > error_kind::threw;
  if (is_of_executor || failure.native_module() != nullptr) terms.reason = failure.exception(env);
  return enif_make_list1(env, detail::make_outcome(env, failure.kind(), terms));
}

UPCALL_RUNTIME std::string text_of_banner(ErlNifEnv* env, ERL_NIF_TERM given) {
  ErlNifBinary text{};
  if (!enif_inspect_binary(env, given, &text)) throw bad_term("a string", given);
  return {reinterpret_cast<const char*>(text.data), text.size};
}

}  // namespace detail

UPCALL_RUNTIME std::string error::banner() const {
  if (const std::optional<owned_term> text = m_content->banner_here())
    return detail::text_of_banner(text->env(), text->raw());
  const detail::named_answer answer = detail::call_or_throw().call_named(
      "Elixir.Upcall.Error", "banner",
      [this](ErlNifEnv* env) { return detail::banner_arguments(env, *this); });
  return detail::text_of_banner(answer.env, answer.value);
}

}  // namespace UPCALL_HIDDEN
