#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "../atom.hpp"
#include "config.hpp"
#include "utf8.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// An atom's name as a template argument. What is not UTF-8, or has over 255 bytes, does not
/// compile.
template <std::size_t Size>
struct atom_name {
  explicit(false) consteval atom_name(const char (&written)[Size]) {
    static_assert(Size <= 256, "an atom's name has 255 bytes at most");
    std::copy_n(written, Size, text);
    if (!detail::is_utf8(view())) throw "an atom's name is UTF-8";
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, Size - 1}; }

  char text[Size]{};
};

/// The atom of that name. Code that uses it makes it exist before the library is loaded: it is
/// initialised with the library's other statics. (Hidden by itself: GCC gives what guards that
/// initialisation not the visibility of the namespace, and would have the first library in the VM
/// do it for all.)
template <atom_name Name>
UPCALL_HIDDEN inline static_atom known_atom{Name.text};

template <auto... Names>
consteval bool all_differ() {
  const std::string_view names[] = {Names.view()...};
  for (const std::string_view& each : names) {
    for (const std::string_view* other = names; other != &each; ++other) {
      if (each == *other) return false;
    }
  }
  return true;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
