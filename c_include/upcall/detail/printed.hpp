#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <string>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Prints a term as Erlang does, cut to what a message bears.
inline std::string printed(ERL_NIF_TERM raw) {
  std::array<char, 200> text{};
  const int length = enif_snprintf(text.data(), text.size(), "%T", raw);
  std::string made(text.data());
  if (length < 0 || static_cast<std::size_t>(length) >= text.size()) made += "...";
  return made;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
