#pragma once

#include <type_traits>
#include <utility>

#include "detail/stream/yielding_fiber.hpp"
#include "nif_options.hpp"

namespace upcall UPCALL_HIDDEN {

template <class T>
struct yields_option {};
/// Makes a NIF a lazy enumerable in Elixir, whose body, on a fiber, gives its values by
/// `yield_value`, also from code that it calls:
///
///     void words(std::string path) {
///       parse(path, [](std::string word) { upcall::yield_value(std::move(word)); });
///     }
///     UPCALL_NIF(words, upcall::yields<std::string>);
///
/// As with an `upcall::generator`, the body begins when somebody enumerates, once for each
/// enumeration. Where nobody wants more, `yield_value` throws `upcall::abandoned`.
template <class T>
inline constexpr yields_option<T> yields;

/// Gives Elixir a value, and waits until more is wanted, when a chunk is full.
///
/// Threads: the frame's own; you may be on another thread afterwards.
/// Throws: `abandoned` when nobody wants more; `error` outside of a NIF that yields such values;
/// what the codec of `T` throws.
template <class T>
void yield_value(T&& value) {
  using value_type = std::remove_cvref_t<T>;
  detail::yield_on_fiber<value_type>(detail::frame_to_yield_in(), std::forward<T>(value));
}

namespace detail {

template <class T>
struct yielding_of<yields_option<T>> {
  using type = yielding_body<T>;
};

template <class Options, class T>
constexpr void set(Options&, yields_option<T>) {}  // it is part of the type

}  // namespace detail
}  // namespace UPCALL_HIDDEN
