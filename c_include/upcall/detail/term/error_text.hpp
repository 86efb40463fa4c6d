#pragma once

#include <erl_nif.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "../../atom.hpp"
#include "../../error_kind.hpp"
#include "../base/config.hpp"

// The texts of errors, made without Elixir.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What Elixir says of what a function did in the place of returning.
struct error_terms {
  ERL_NIF_TERM reason = 0;
  ERL_NIF_TERM exception = 0;  ///< what the reason is in Elixir, where it is none already; or nil
  ERL_NIF_TERM stack_trace = 0;
};

/// Makes the struct of an exception that has a message, and maybe more fields.
ERL_NIF_TERM make_exception(
    ErlNifEnv* env, const char* module, std::string_view message,
    std::initializer_list<std::pair<const char*, ERL_NIF_TERM>> fields = {}) noexcept;

/// Whether a reason is an exception of Elixir's: as `is_exception/1` has it, since anybody can
/// raise a map that has one of the two keys.
bool is_exception(ERL_NIF_TERM reason) noexcept;

/// Gives the exception that a raise is in Elixir.
ERL_NIF_TERM exception_of(ErlNifEnv* env, const error_terms& terms) noexcept;

/// Makes the text of what a function did: `** (throw) 1`.
std::string error_text(error_kind kind, const error_terms& terms);

/// Makes a reason that says in text what the terms say, which are too large to be copied.
ERL_NIF_TERM text_in_place_of(ErlNifEnv* env, error_kind kind, const error_terms& terms);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "error_text.ipp"  // IWYU pragma: export
#endif
