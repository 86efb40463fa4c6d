#pragma once

#include <erl_nif.h>

#include <cstddef>

#include "atom_text.hpp"
#include "config.hpp"
#include "library_part.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME std::size_t load_option(ErlNifEnv* env, ERL_NIF_TERM options,
                                       const char* key) noexcept {
  ERL_NIF_TERM raw = 0;
  ErlNifUInt64 value = 0;
  if (!enif_is_map(env, options) ||
      !enif_get_map_value(env, options, detail::make_atom(env, key), &raw))
    return 0;
  return enif_get_uint64(env, raw, &value) ? static_cast<std::size_t>(value) : 0;
}

UPCALL_RUNTIME bool option_is(ErlNifEnv* env, ERL_NIF_TERM options, const char* key,
                              const char* value) noexcept {
  ERL_NIF_TERM raw = 0;
  return enif_is_map(env, options) &&
         enif_get_map_value(env, options, detail::make_atom(env, key), &raw) &&
         enif_is_identical(raw, detail::make_atom(env, value));
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
