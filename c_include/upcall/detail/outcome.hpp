#pragma once

#include <erl_nif.h>

#include <string>

#include "../atom.hpp"
#include "../error.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Elixir tells what a function did as `[class, reason, stack_trace, exception | text]`.
inline error error_of_outcome(ErlNifEnv* env, ERL_NIF_TERM outcome) {
  ERL_NIF_TERM parts[4];
  ERL_NIF_TERM rest = outcome;
  for (ERL_NIF_TERM& part : parts) {
    if (!enif_get_list_cell(env, rest, &part, &rest))
      raise("Elixir.ArgumentError", "a malformed outcome");
  }
  ErlNifBinary text{};
  if (!enif_inspect_binary(env, rest, &text)) raise("Elixir.ArgumentError", "a malformed outcome");
  const error_kind kind = enif_is_identical(parts[0], atoms::error.raw())  ? error_kind::raised
                          : enif_is_identical(parts[0], atoms::exit.raw()) ? error_kind::exited
                                                                           : error_kind::threw;
  const bool normalized = !enif_is_identical(parts[3], atoms::nil.raw());
  return {kind, parts[1], parts[2],
          std::string(reinterpret_cast<const char*>(text.data), text.size),
          normalized ? parts[3] : 0};
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
