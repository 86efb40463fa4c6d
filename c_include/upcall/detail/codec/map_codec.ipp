#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "map_codec.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME map_reader::map_reader(ErlNifEnv* env, ERL_NIF_TERM map) : m_env(env) {
  if (!enif_map_iterator_create(env, map, &m_position, ERL_NIF_MAP_ITERATOR_FIRST)) {
    throw bad_term("a map", map);
  }
}

UPCALL_RUNTIME std::string place_of_value(ErlNifEnv* env, ERL_NIF_TERM key) {
  constexpr std::size_t longest = 50;
  constexpr auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  ErlNifSInt64 integer = 0;
  ErlNifBinary binary{};
  if (enif_is_atom(env, key)) return "value of key :" + atom(key).name(env);
  if (enif_get_int64(env, key, &integer)) return "value of key " + std::to_string(integer);
  if (enif_inspect_binary(env, key, &binary)) {
    const std::string_view text(reinterpret_cast<const char*>(binary.data), binary.size);
    const std::string_view shown = text.substr(0, longest);
    if (std::all_of(shown.begin(), shown.end(), printable)) {
      return "value of key \"" + std::string(shown) + (shown == text ? "\"" : "...\"");
    }
  }
  return "value of a key";
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
