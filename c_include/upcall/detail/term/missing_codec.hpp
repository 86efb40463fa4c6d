#pragma once

#include <erl_nif.h>

#include <chrono>
#include <concepts>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <variant>

#include "../base/config.hpp"
#include "../base/never.hpp"

// What the compiler says of a type that has no codec: what to write in its place.

namespace upcall UPCALL_HIDDEN {
namespace detail {

template <class T>
inline constexpr bool is_time = false;
template <class Rep, class Period>
inline constexpr bool is_time<std::chrono::duration<Rep, Period>> = true;
template <class Clock, class Duration>
inline constexpr bool is_time<std::chrono::time_point<Clock, Duration>> = true;

// Containers are known by what they can do: their headers are not included for this.
template <class T>
concept map_like = requires {
  typename T::key_type;
  typename T::mapped_type;
};
template <class T>
concept range_like = requires(const T& values) {
  std::begin(values);
  std::end(values);
};
template <class T>
concept vector_like = range_like<T> && requires(T values) {
  values.data();
  values.capacity();
};
template <class T>
concept optional_like = requires(const T& value) {
  { value.has_value() } -> std::same_as<bool>;
  value.value();
}
&&!requires { typename T::error_type; };
template <class T>
concept tuple_like = requires {
  std::tuple_size<T>::value;
};
template <class T>
concept variant_like = requires {
  std::variant_size<T>::value;
};
template <class T>
concept pointer_like = std::is_pointer_v<T> || requires(const T& pointer) {
  typename T::element_type;
  { pointer.get() } -> std::same_as<typename T::element_type*>;
};

/// Says what to do about `T`, which a codec lacks.
template <class T>
consteval void explain_missing_codec() {
  using target = std::remove_cv_t<std::remove_pointer_t<T>>;
  if constexpr (std::same_as<T, ErlNifEnv*>) {
    static_assert(never<T>,
                  "ErlNifEnv* has no upcall::codec: a C++ function that is a NIF takes and gives "
                  "C++ values, and needs no environment; take an upcall::term for a term as it is");
  } else if constexpr (std::is_pointer_v<T> && std::same_as<target, char>) {
    static_assert(never<T>,
                  "a pointer to char has no upcall::codec: take a std::string or a "
                  "std::string_view, and give a std::string");
  } else if constexpr (std::is_function_v<target>) {
    static_assert(never<T>,
                  "a pointer to a function has no upcall::codec: take an upcall::function or a "
                  "std::function");
  } else if constexpr (is_time<T>) {
    static_assert(never<T>,
                  "times of std::chrono have no upcall::codec, as a number does not say its unit: "
                  "take a std::int64_t and make it std::chrono::milliseconds{n}, say; give "
                  "d.count()");
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(never<T>,
                  "this enum has no upcall::codec: include <upcall/structs.hpp> and name its "
                  "values, template <> struct upcall::codec<color> : upcall::enum_codec<color, "
                  "upcall::named<color::red, \"red\">> {};");
  } else if constexpr (pointer_like<T>) {
    static_assert(never<T>,
                  "a pointer has no upcall::codec: take and give the object as an "
                  "upcall::resource<T> (upcall::make_resource), or its value");
  } else if constexpr (map_like<T> || vector_like<T> || optional_like<T> || tuple_like<T> ||
                       variant_like<T>) {
    static_assert(never<T>,
                  "this type of the standard library has no upcall::codec here: include "
                  "<upcall/stl.hpp>");
  } else if constexpr (range_like<T>) {
    static_assert(never<T>,
                  "this container has no upcall::codec: take a std::vector, std::array, std::map "
                  "or std::unordered_map, which have one in <upcall/stl.hpp>, or specialise it");
  } else if constexpr (std::is_class_v<T>) {
    static_assert(never<T>,
                  "this type has no upcall::codec: specialise it, include <upcall/structs.hpp> and "
                  "name its fields (upcall::struct_codec), or take and give the object as an "
                  "upcall::resource<T>");
  } else {
    static_assert(never<T>, "this type has no upcall::codec: specialise it");
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
