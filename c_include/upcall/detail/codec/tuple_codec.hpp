#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "../term/parts.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

template <class Tuple, class... Ts>
struct tuple_codec {
  using parts = type_list<Ts...>;
  static constexpr bool borrows = borrows_through<Tuple, Ts...>();

  static Tuple decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    check_nesting();
    int arity = 0;
    const ERL_NIF_TERM* elements = nullptr;
    if (!enif_get_tuple(env, raw, &arity, &elements) || arity != int{sizeof...(Ts)}) {
      throw bad_term("a tuple of " + count_of_elements(sizeof...(Ts)), raw);
    }
    return decode_all(env, elements, std::index_sequence_for<Ts...>{});
  }

  static ERL_NIF_TERM encode(ErlNifEnv* env, const Tuple& values) {
    check_nesting();
    return encode_all(env, values, std::index_sequence_for<Ts...>{});
  }

 private:
  template <std::size_t... Positions>
  static ERL_NIF_TERM encode_all(ErlNifEnv* env, [[maybe_unused]] const Tuple& values,
                                 std::index_sequence<Positions...>) {
    const std::array<ERL_NIF_TERM, sizeof...(Ts)> elements{detail::encode_part<Ts>(
        env, std::get<Positions>(values), [] { return place_of_element(Positions + 1); })...};
    return enif_make_tuple_from_array(env, elements.data(), unsigned{sizeof...(Ts)});
  }

  template <std::size_t... Positions>
  static Tuple decode_all([[maybe_unused]] ErlNifEnv* env,
                          [[maybe_unused]] const ERL_NIF_TERM* elements,
                          std::index_sequence<Positions...>) {
    // Braces: elements are decoded, and complained about, from left to right.
    return Tuple{detail::decode_part<Ts>(env, elements[Positions],
                                         [] { return place_of_element(Positions + 1); })...};
  }
};

}  // namespace detail

/// A tuple.
template <class... Ts>
struct codec<std::tuple<Ts...>> : detail::tuple_codec<std::tuple<Ts...>, Ts...> {
  using own = std::tuple<Ts...>;
};

/// A tuple of two.
template <class First, class Second>
struct codec<std::pair<First, Second>>
    : detail::tuple_codec<std::pair<First, Second>, First, Second> {
  using own = std::pair<First, Second>;
};

}  // namespace UPCALL_HIDDEN
