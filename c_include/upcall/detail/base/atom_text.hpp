#pragma once

#include <erl_nif.h>

#include <cstring>
#include <string>

#include "config.hpp"

// The names of atoms, in UTF-8 as all texts of Upcall's. NIFs of OTP 25 read and make atoms in
// Latin-1 alone. What is beyond that has its name in UTF-8 in the external format of every version;
// OTP 25 writes the others in Latin-1 there, too.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What an atom whose name is in UTF-8 begins with in the external format: with a length of one
/// byte, or of two. (Source: "External Term Format", SMALL_ATOM_UTF8_EXT and ATOM_UTF8_EXT.)
inline constexpr unsigned char version_of_external_format = 131;
inline constexpr unsigned char small_atom_in_utf8 = 119;
inline constexpr unsigned char atom_in_utf8 = 118;

/// Makes the atom of a name that is UTF-8, or, where it is not, Latin-1: of at most 255 bytes.
ERL_NIF_TERM make_atom(ErlNifEnv* env, const char* name) noexcept;

/// Gives the name of an atom.
std::string name_of_atom(ErlNifEnv* env, ERL_NIF_TERM atom);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "atom_text.ipp"  // IWYU pragma: export
#endif
