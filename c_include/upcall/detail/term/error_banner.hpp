#pragma once

#include <erl_nif.h>

#include <string>

#include "../../error.hpp"

// The text of an error that Elixir itself makes of it.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Makes the arguments of `Upcall.Error.banner/1`.
ERL_NIF_TERM banner_arguments(ErlNifEnv* env, const error& failure);

/// Gives the text that `Upcall.Error.banner/1` has given.
std::string text_of_banner(ErlNifEnv* env, ERL_NIF_TERM given);

}  // namespace detail

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "error_banner.ipp"  // IWYU pragma: export
#endif
