#pragma once

#include <erl_nif.h>

#include <string>

#include "../base/config.hpp"

// The text of a term, made without Elixir: of bounded length, and so in bounded time.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Prints a term nearly as `inspect` does, cut to what a message bears.
std::string printed(ERL_NIF_TERM raw);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "term_text.ipp"  // IWYU pragma: export
#endif
