#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "../../atom.hpp"
#include "../base/config.hpp"
#include "../base/utf8.hpp"
#include "../term/parts.hpp"

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

/// Names the field or the option that a data member is: `upcall::field<&point::x, "x">`.
template <auto Member, detail::atom_name Name>
struct field;

/// Names an enumerator: `upcall::named<color::red, "red">`.
template <auto Value, detail::atom_name Name>
struct named {
  static constexpr auto value = Value;
  static constexpr auto name = Name;
  static ERL_NIF_TERM atom() noexcept { return detail::known_atom<Name>.raw(); }
};

template <class Owner, class T, T Owner::*Member, detail::atom_name Name>
struct field<Member, Name> {
  using type = T;
  static constexpr auto name = Name;
  static ERL_NIF_TERM atom() noexcept { return detail::known_atom<Name>.raw(); }

  /// Decodes the member; `kind` is what errors call it.
  template <class Whole>
  static void decode(ErlNifEnv* env, ERL_NIF_TERM raw, Whole& whole, const char* kind) {
    whole.*Member =
        detail::decode_part<T>(env, raw, [kind] { return kind + std::string(Name.view()); });
  }
  template <class Whole>
  static ERL_NIF_TERM encode(ErlNifEnv* env, const Whole& whole, const char* kind) {
    return detail::encode_part<T>(env, whole.*Member,
                                  [kind] { return kind + std::string(Name.view()); });
  }
};

namespace detail {

/// Lists names as an error does: "depth, strict".
template <auto... Names>
std::string list_names(const char* before_each = "") {
  std::string list;
  ((list += (list.empty() ? "" : ", ") + std::string(before_each) + std::string(Names.view())),
   ...);
  return list;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
