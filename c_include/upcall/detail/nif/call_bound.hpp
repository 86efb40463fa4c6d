#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../base/config.hpp"
#include "../base/never.hpp"
#include "../term/parts.hpp"

// From the arguments of a NIF to its result, whatever the body runs on.

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// What a function takes and gives.
template <class Function>
struct signature {
  static_assert(never<Function>,
                "a NIF is a function or a member function: of a lambda that captures nothing, "
                "UPCALL_NIF_AS(\"name\", +f) takes the function; one that takes `...`, or is for & "
                "or && objects, is none");
  using result = void;
  using arguments = std::tuple<>;
};

template <class R, class... Args>
struct signature<R (*)(Args...)> {
  using result = R;
  using arguments = std::tuple<Args...>;
};
template <class R, class... Args>
struct signature<R (*)(Args...) noexcept> : signature<R (*)(Args...)> {};

// NOLINTBEGIN(bugprone-macro-parentheses): a qualifier can't stand in parentheses
#define UPCALL_MEMBER_SIGNATURE(qualifiers)                                         \
  template <class R, class Object, class... Args>                                   \
  struct signature<R (Object::*)(Args...) qualifiers> : signature<R (*)(Args...)> { \
    using object = Object;                                                          \
  };
UPCALL_MEMBER_SIGNATURE()
UPCALL_MEMBER_SIGNATURE(const)
UPCALL_MEMBER_SIGNATURE(noexcept)
UPCALL_MEMBER_SIGNATURE(const noexcept)
#undef UPCALL_MEMBER_SIGNATURE
// NOLINTEND(bugprone-macro-parentheses)

/// Where a decoded argument is kept while the body runs.
template <class Parameter>
using stored = std::remove_cvref_t<Parameter>;

template <class Parameters>
struct argument_list;
/// The decoded arguments of a native call.
template <class... Parameters>
struct argument_list<std::tuple<Parameters...>> {
  using type = std::tuple<stored<Parameters>...>;

  static type decode(ErlNifEnv* env, const ERL_NIF_TERM* raw) {
    return [&]<std::size_t... Positions>(std::index_sequence<Positions...>) {
      // Braces: arguments are decoded, and complained about, from left to right.
      return type{detail::decode_whole<stored<Parameters>>(env, raw[Positions],
                                                           &place_of_argument<Positions + 1>)...};
    }
    (std::index_sequence_for<Parameters...>{});
  }
};

/// Calls the C++ function with its arguments, and `reply(make)`, where `make(env)` makes the term
/// of what it gave.
template <auto Function, class... Parameters, class Reply>
void call_bound(std::type_identity<std::tuple<Parameters...>>,
                typename argument_list<std::tuple<Parameters...>>::type& arguments,
                const Reply& reply) {
  using result = typename signature<std::remove_cv_t<decltype(Function)>>::result;
  const auto call = [&]() -> result {
    return std::apply(
        [](auto&... each) -> result {
          return std::invoke(Function, static_cast<Parameters&&>(each)...);
        },
        arguments);
  };
  if constexpr (std::is_void_v<result>) {
    call();
    reply([](ErlNifEnv*) { return atoms::ok.raw(); });
  } else {
    decltype(auto) value = call();
    reply([&](ErlNifEnv* env) {
      return detail::encode_result<std::remove_cvref_t<result>>(env, value);
    });
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
