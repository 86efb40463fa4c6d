#pragma once

#include <erl_nif.h>

#include <array>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

enum class term_kind {
  integer,
  real,
  atom,
  list,
  tuple,
  map,
  bitstring,
  function,
  native_record,  ///< of OTP 29 and later; a NIF can't see into it
  identifier      ///< a pid, a port or a reference
};

/// Gives what a term is. `enif_term_type` would end the VM at a native record, so it is asked for
/// one kind after another, the commonest first.
/// Threads: any that may read the term.
inline term_kind kind_of(ErlNifEnv* env, ERL_NIF_TERM raw) noexcept {
  if (enif_is_atom(env, raw)) return term_kind::atom;
  if (enif_is_tuple(env, raw)) return term_kind::tuple;
  if (enif_is_list(env, raw)) return term_kind::list;
  if (enif_is_binary(env, raw)) return term_kind::bitstring;
  if (enif_is_map(env, raw)) return term_kind::map;
  if (enif_is_number(env, raw)) {
    double value = 0;
    return enif_get_double(env, raw, &value) ? term_kind::real : term_kind::integer;
  }
  if (enif_is_fun(env, raw)) return term_kind::function;
  if (enif_is_pid(env, raw) || enif_is_ref(env, raw) || enif_is_port(env, raw))
    return term_kind::identifier;
  // What is left are records and bits that are no bytes, of which the VM prints no more than how
  // they begin: `#module:name` and `<<`.
  std::array<char, 2> beginning{};
  enif_snprintf(beginning.data(), beginning.size(), "%.1T", raw);
  return beginning.front() == '#' ? term_kind::native_record : term_kind::bitstring;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
