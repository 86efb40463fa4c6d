#pragma once

#include <cstddef>
#include <string_view>

#include "config.hpp"
#include "utf8.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The NIF's name in the library's table, made from how the macro's user wrote the function: no
/// namespaces, and marked, for the plain name is that of the Elixir function around it.
template <std::size_t Size>
struct table_name {
  static constexpr std::string_view prefix = "__native_";
  static constexpr std::string_view suffix = "__";

  explicit(false) consteval table_name(const char (&written)[Size]) {
    std::string_view name(written, Size - 1);
    const std::size_t colon = name.rfind(':');
    if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
    if (!name.empty() && name.front() == '&') name.remove_prefix(1);
    if (!detail::is_ascii(name)) throw "a NIF's name is ASCII here, as the VM reads it in Latin-1";
    std::size_t at = 0;
    for (const char c : prefix) marked[at++] = c;
    for (const char c : name) marked[at++] = c;
    for (const char c : suffix) marked[at++] = c;
    std::size_t plain_at = 0;
    for (const char c : name) plain[plain_at++] = c;
  }

  char marked[Size + prefix.size() + suffix.size()]{};
  char plain[Size]{};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
