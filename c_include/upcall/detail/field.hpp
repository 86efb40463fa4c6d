#pragma once

#include <erl_nif.h>

#include <string>

#include "known_atom.hpp"
#include "parts.hpp"

namespace upcall UPCALL_HIDDEN {

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
