#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Prints a term as Erlang does, cut to what a message bears.
inline std::string printed(ERL_NIF_TERM raw) {
  if (raw == 0) return "no term (0)";  // which the VM does not survive printing
  std::array<char, 200> text{};
  const int length = enif_snprintf(text.data(), text.size(), "%T", raw);
  std::string made(text.data());
  if (length < 0 || static_cast<std::size_t>(length) >= text.size()) made += "...";
  return made;
}

/// Prints an atom, a module of Elixir's as one writes it there.
inline std::string printed_module(ERL_NIF_TERM atom) {
  std::string name = printed(atom);
  constexpr std::string_view prefix = "'Elixir.";
  if (!name.starts_with(prefix)) return name;
  return name.substr(prefix.size(), name.size() - prefix.size() - 1);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
