#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../term/parts.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Reads the entries of a map, in no order. Throws: `bad_term` for anything else.
class map_reader {
 public:
  map_reader(ErlNifEnv* env, ERL_NIF_TERM map);
  map_reader(const map_reader&) = delete;
  map_reader& operator=(const map_reader&) = delete;
  ~map_reader() { enif_map_iterator_destroy(m_env, &m_position); }

  /// Steps to the next entry; false after the last.
  bool next(ERL_NIF_TERM& key, ERL_NIF_TERM& value) noexcept {
    if (!enif_map_iterator_get_pair(m_env, &m_position, &key, &value)) return false;
    enif_map_iterator_next(m_env, &m_position);
    return true;
  }

 private:
  ErlNifEnv* m_env;
  ErlNifMapIterator m_position{};
};

/// Names a value by its key, as Elixir would write it where that is simple.
std::string place_of_value(ErlNifEnv* env, ERL_NIF_TERM key);

template <class Map>
struct map_codec {
  using key_type = typename Map::key_type;
  using mapped_type = typename Map::mapped_type;
  using parts = type_list<key_type, mapped_type>;
  static constexpr bool borrows = borrows_through<Map, key_type, mapped_type>();

  static Map decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    check_nesting();
    map_reader entries(env, raw);
    Map decoded;
    ERL_NIF_TERM key = 0;
    ERL_NIF_TERM value = 0;
    while (entries.next(key, value)) {
      auto decoded_key = detail::decode_part<key_type>(env, key, [] { return "key"; });
      auto decoded_value = detail::decode_part<mapped_type>(
          env, value, [&] { return detail::place_of_value(env, key); });
      // 1 and 1.0 are two keys in Elixir, and one double.
      if (!decoded.emplace(std::move(decoded_key), std::move(decoded_value)).second) {
        throw bad_term("a map whose keys stay different when decoded", raw);
      }
    }
    return decoded;
  }

  static ERL_NIF_TERM encode(ErlNifEnv* env, const Map& entries) {
    check_nesting();
    std::vector<ERL_NIF_TERM> keys;
    std::vector<ERL_NIF_TERM> values;
    keys.reserve(entries.size());
    values.reserve(entries.size());
    for (const auto& [key, value] : entries) {
      const ERL_NIF_TERM encoded_key =
          detail::encode_part<key_type>(env, key, [] { return "key"; });
      keys.push_back(encoded_key);
      values.push_back(detail::encode_part<mapped_type>(
          env, value, [&] { return detail::place_of_value(env, encoded_key); }));
    }
    // Not one by one, which would leave a garbage map behind each entry.
    ERL_NIF_TERM made = 0;
    std::size_t size = 0;
    // OTP 25, 26 and 27.3.4.1 see equal keys in small maps only, and make a broken map of a large
    // one (OTP-20098): the size tells.
    if (!enif_make_map_from_arrays(env, keys.data(), values.data(), keys.size(), &made) ||
        !enif_get_map_size(env, made, &size) || size != keys.size()) {
      throw codec_error("expected keys that stay different when encoded as a map's");
    }
    return made;
  }
};

}  // namespace detail

/// A map.
template <class Key, class T, class Less, class Allocator>
struct codec<std::map<Key, T, Less, Allocator>>
    : detail::map_codec<std::map<Key, T, Less, Allocator>> {
  using own = std::map<Key, T>;
};

/// A map.
template <class Key, class T, class Hash, class Equal, class Allocator>
struct codec<std::unordered_map<Key, T, Hash, Equal, Allocator>>
    : detail::map_codec<std::unordered_map<Key, T, Hash, Equal, Allocator>> {
  using own = std::unordered_map<Key, T>;
};

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "map_codec.ipp"  // IWYU pragma: export
#endif
