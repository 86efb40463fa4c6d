#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "../base/config.hpp"
#include "roots.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME bool roots::take_moved(ErlNifEnv* env, ERL_NIF_TERM map) noexcept {
  std::size_t size = 0;
  if (!enif_get_map_size(env, map, &size) || size != m_size) return false;
  m_map = map;
  return true;
}

UPCALL_RUNTIME ERL_NIF_TERM roots::make_map(ErlNifEnv* env) noexcept {
  std::array<ERL_NIF_TERM, most_first> indices{};
  for (std::uint32_t at = 0; at < m_first_count; ++at) indices[at] = enif_make_uint(env, at);
  ERL_NIF_TERM made = 0;
  enif_make_map_from_arrays(env, indices.data(), m_first.data(), m_first_count, &made);
  return made;
}

UPCALL_RUNTIME void roots::remove_dead(ErlNifEnv* env) noexcept {
  while (m_dead != nullptr) {
    root* const dead = std::exchange(m_dead, m_dead->next);
    enif_make_map_remove(env, m_map, enif_make_uint(env, dead->index()), &m_map);
    dead->next = std::exchange(m_free, dead);
    --m_size;
  }
  m_changed = true;
}

UPCALL_RUNTIME root* roots::take_first(root*& list) noexcept {
  root* const first = std::exchange(list, list->next);
  first->share();  // it had none left
  return first;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
