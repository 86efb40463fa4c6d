#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "atom_text.hpp"
#include "config.hpp"
#include "utf8.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM make_atom(ErlNifEnv* env, const char* name) noexcept {
  const std::string_view text(name);
  constexpr std::size_t longest = 255;
  if (text.size() <= longest && !detail::is_ascii(text)) {
    std::array<unsigned char, 3 + longest> external{version_of_external_format, small_atom_in_utf8,
                                                    static_cast<unsigned char>(text.size())};
    std::memcpy(external.data() + 3, text.data(), text.size());
    ERL_NIF_TERM made = 0;
    if (enif_binary_to_term(env, external.data(), 3 + text.size(), &made, 0) != 0) return made;
  }
  return enif_make_atom_len(env, text.data(), text.size());
}

UPCALL_RUNTIME std::string name_of_atom(ErlNifEnv* env, ERL_NIF_TERM atom) {
  unsigned length = 0;
  if (enif_get_atom_length(env, atom, &length, ERL_NIF_LATIN1) != 0) {
    std::string latin(length + 1, '\0');
    enif_get_atom(env, atom, latin.data(), length + 1, ERL_NIF_LATIN1);
    latin.pop_back();
    return detail::utf8_of_latin(latin);
  }
  struct released_binary : ErlNifBinary {
    released_binary() : ErlNifBinary{} {}
    released_binary(const released_binary&) = delete;
    released_binary& operator=(const released_binary&) = delete;
    ~released_binary() { enif_release_binary(this); }
  } external;
  if (enif_term_to_binary(env, atom, &external) == 0) throw std::bad_alloc();
  const unsigned char tag = external.data[1];
  if (tag != small_atom_in_utf8 && tag != atom_in_utf8) return "?";  // of no version there is
  const std::size_t begin = tag == small_atom_in_utf8 ? 3 : 4;
  return {reinterpret_cast<const char*>(external.data) + begin, external.size - begin};
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
