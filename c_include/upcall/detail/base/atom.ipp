#pragma once

#include <erl_nif.h>

#include "../../atom.hpp"
#include "../../owned_env.hpp"
#include "atom_text.hpp"
#include "config.hpp"

namespace upcall UPCALL_HIDDEN {

UPCALL_RUNTIME static_atom::static_atom(const char* name) noexcept : m_name(name) {
  if (s_loaded) {  // a static of a function, made when that is first called
    const owned_env env;
    m_raw = detail::make_atom(env.get(), name);
  } else {
    enter();
  }
}

UPCALL_RUNTIME void static_atom::load_all(ErlNifEnv* env) noexcept {
  s_loaded = true;
  for (static_atom* each = first(); each != nullptr; each = each->next()) {
    each->m_raw = detail::make_atom(env, each->m_name);
  }
}

namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM field_of(ERL_NIF_TERM map, const static_atom& key) noexcept {
  ERL_NIF_TERM value = 0;
  return enif_get_map_value(detail::env_for_words(), map, key.raw(), &value) ? value : 0;
}

}  // namespace detail

}  // namespace UPCALL_HIDDEN
