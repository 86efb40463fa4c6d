#pragma once

#include <erl_nif.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include "../term/parts.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Reads a proper list from its head. Throws: `bad_term` for anything else.
class list_reader {
 public:
  list_reader(ErlNifEnv* env, ERL_NIF_TERM list) : m_env(env), m_rest(list) {
    if (!enif_is_list(env, list)) throw bad_term("a list", list);
    if (!enif_get_list_length(env, list, &m_size)) throw bad_term("a proper list", list);
  }

  [[nodiscard]] std::size_t size() const noexcept { return m_size; }
  [[nodiscard]] bool at_end() const noexcept { return m_position == m_size; }

  /// Decodes the next element, which must be there.
  template <class T>
  T next() {
    ERL_NIF_TERM head = 0;
    enif_get_list_cell(m_env, m_rest, &head, &m_rest);
    ++m_position;
    return detail::decode_part<T>(m_env, head, [this] { return place_of_element(m_position); });
  }

 private:
  ErlNifEnv* m_env;
  ERL_NIF_TERM m_rest;
  unsigned m_size = 0;
  std::size_t m_position = 0;
};

template <class T, class Values>
ERL_NIF_TERM encode_list(ErlNifEnv* env, const Values& values) {
  check_nesting();
  ERL_NIF_TERM list = enif_make_list(env, 0);
  std::size_t position = values.size();
  for (auto each = values.rbegin(); each != values.rend(); ++each) {
    const ERL_NIF_TERM element =
        detail::encode_part<T>(env, *each, [position] { return place_of_element(position); });
    list = enif_make_list_cell(env, element, list);
    --position;
  }
  return list;
}

}  // namespace detail

/// A list.
template <class T, class Allocator>
struct codec<std::vector<T, Allocator>> {
  using own = std::vector<T>;
  using parts = detail::type_list<T>;
  static constexpr bool borrows = detail::borrows_through<std::vector<T, Allocator>, T>();

  static std::vector<T, Allocator> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    check_nesting();
    detail::list_reader list(env, raw);
    std::vector<T, Allocator> values;
    values.reserve(list.size());
    while (!list.at_end()) values.push_back(list.next<T>());
    return values;
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const std::vector<T, Allocator>& values) {
    return detail::encode_list<T>(env, values);
  }
};

/// A list of that size.
template <class T, std::size_t Size>
struct codec<std::array<T, Size>> {
  using own = std::array<T, Size>;
  using parts = detail::type_list<T>;
  static constexpr bool borrows = detail::borrows_through<std::array<T, Size>, T>();

  static std::array<T, Size> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    check_nesting();
    detail::list_reader list(env, raw);
    if (list.size() != Size) {
      throw bad_term("a list of " + detail::count_of_elements(Size), raw);
    }
    if constexpr (std::default_initializable<T>) {
      std::array<T, Size> values{};
      for (T& each : values) each = list.next<T>();
      return values;
    } else {
      return decode_all(list, std::make_index_sequence<Size>{});
    }
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const std::array<T, Size>& values) {
    return detail::encode_list<T>(env, values);
  }

 private:
  template <std::size_t... Positions>
  static std::array<T, Size> decode_all(detail::list_reader& list,
                                        std::index_sequence<Positions...>) {
    return {(static_cast<void>(Positions), list.next<T>())...};
  }
};

}  // namespace UPCALL_HIDDEN
