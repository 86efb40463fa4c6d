#pragma once

#include <erl_nif.h>

#include <array>
#include <string>
#include <string_view>
#include <type_traits>

#include "detail/codec/field.hpp"
#include "detail/term/parts.hpp"

// Codecs of your enums, structs and options, from a declaration: include it beside <upcall.hpp>.

namespace upcall UPCALL_HIDDEN {

/// Makes an enum one of some atoms:
///
///     template <>
///     struct upcall::codec<color>
///         : upcall::enum_codec<color, upcall::named<color::red, "red">,
///                              upcall::named<color::green, "green">> {};
///
/// Throws: to decode, `bad_term`; to encode a value without a name, `error`.
template <class Enum, class... Named>
struct enum_codec {
  static_assert(detail::all_differ<Named::name...>(), "two enumerators have the same name");

  static Enum decode(ErlNifEnv*, ERL_NIF_TERM raw) {
    Enum found{};
    if (((raw == Named::atom() && (static_cast<void>(found = Named::value), true)) || ...))
      return found;
    throw bad_term("one of " + detail::list_names<Named::name...>(":"), raw);
  }

  static ERL_NIF_TERM encode(ErlNifEnv*, Enum value) {
    ERL_NIF_TERM found = 0;
    if (((value == Named::value && (found = Named::atom(), true)) || ...)) return found;
    throw detail::codec_error("expected one of " + detail::list_names<Named::name...>(":") +
                              " to encode, got: the enumerator " +
                              std::to_string(static_cast<long long>(value)));
  }
};

/// Makes a C++ struct an Elixir struct:
///
///     template <>
///     struct upcall::codec<point>
///         : upcall::struct_codec<point, "Elixir.Demo.Point", upcall::field<&point::x, "x">,
///                                upcall::field<&point::y, "y">> {};
///
/// Name every field that the Elixir struct has, or what is encoded lacks some; those that are not
/// named are ignored when decoding. `T` must be default-constructible: a function in it is a
/// `std::optional<upcall::function<…>>` or a `std::function`. Throws: `bad_term`.
template <class T, detail::atom_name Module, class... Fields>
struct struct_codec {
  static_assert(detail::all_differ<Fields::name...>(), "two fields have the same name");
  using parts = detail::type_list<typename Fields::type...>;
  static constexpr bool borrows = detail::borrows_through<T, typename Fields::type...>();

  static T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    static_assert(std::is_default_constructible_v<T>,
                  "upcall::struct_codec needs a type that can be default-constructed");
    check_nesting();
    ERL_NIF_TERM module = 0;
    if (!enif_get_map_value(env, raw, detail::atoms::struct_.raw(), &module) ||
        module != detail::known_atom<Module>.raw()) {
      throw bad_term(description(), raw);
    }
    T decoded{};
    (decode_field<Fields>(env, raw, decoded), ...);
    return decoded;
  }

  static ERL_NIF_TERM encode(ErlNifEnv* env, const T& value) {
    check_nesting();
    std::array keys{detail::atoms::struct_.raw(), Fields::atom()...};
    std::array values{detail::known_atom<Module>.raw(), Fields::encode(env, value, "field ")...};
    ERL_NIF_TERM made = 0;
    enif_make_map_from_arrays(env, keys.data(), values.data(), keys.size(), &made);
    return made;
  }

 private:
  template <class Field>
  static void decode_field(ErlNifEnv* env, ERL_NIF_TERM map, T& decoded) {
    ERL_NIF_TERM raw = 0;
    if (!enif_get_map_value(env, map, Field::atom(), &raw)) {
      throw bad_term(description() + " with the field " + std::string(Field::name.view()), map);
    }
    Field::decode(env, raw, decoded, "field ");
  }

  static std::string description() {
    constexpr std::string_view elixir = "Elixir.";
    std::string_view name = Module.view();
    if (!name.starts_with(elixir)) return "a %:\"" + std::string(name) + "\"{}";
    name.remove_prefix(elixir.size());
    return "a %" + std::string(name) + "{}";
  }
};

/// Makes a C++ struct the keyword list of an Elixir function's options:
///
///     struct options { int depth = 3; bool strict = false; };
///     template <>
///     struct upcall::codec<options>
///         : upcall::keyword_codec<options, upcall::field<&options::depth, "depth">,
///                                 upcall::field<&options::strict, "strict">> {};
///
/// An absent option keeps its default, one that is given twice counts as first given, and an
/// unknown one is refused. Encoded, all options are there. Throws: `bad_term`.
template <class T, class... Fields>
struct keyword_codec {
  static_assert(detail::all_differ<Fields::name...>(), "two options have the same name");
  using parts = detail::type_list<typename Fields::type...>;
  static constexpr bool borrows = detail::borrows_through<T, typename Fields::type...>();

  static T decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    static_assert(std::is_default_constructible_v<T>,
                  "upcall::keyword_codec needs a type that can be default-constructed");
    check_nesting();
    T decoded{};
    std::array<bool, sizeof...(Fields)> given{};
    ERL_NIF_TERM rest = raw;
    ERL_NIF_TERM option = 0;
    while (enif_get_list_cell(env, rest, &option, &rest)) {
      int arity = 0;
      const ERL_NIF_TERM* pair = nullptr;
      if (!enif_get_tuple(env, option, &arity, &pair) || arity != 2 ||
          !enif_is_atom(env, pair[0])) {
        throw bad_term("a keyword list", raw);
      }
      bool* is_given = given.data();
      if (!(decode_option<Fields>(env, pair, decoded, *is_given++) || ...)) {
        throw bad_term("one of the options " + detail::list_names<Fields::name...>(), pair[0]);
      }
    }
    if (!enif_is_empty_list(env, rest)) throw bad_term("a keyword list", raw);
    return decoded;
  }

  static ERL_NIF_TERM encode(ErlNifEnv* env, const T& value) {
    check_nesting();
    const std::array options{
        enif_make_tuple2(env, Fields::atom(), Fields::encode(env, value, "option "))...};
    return enif_make_list_from_array(env, options.data(), unsigned{sizeof...(Fields)});
  }

 private:
  template <class Field>
  static bool decode_option(ErlNifEnv* env, const ERL_NIF_TERM* pair, T& decoded, bool& is_given) {
    if (pair[0] != Field::atom()) return false;
    if (!is_given) Field::decode(env, pair[1], decoded, "option ");
    is_given = true;
    return true;
  }
};

}  // namespace UPCALL_HIDDEN
