#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../../nif_options.hpp"
#include "../../resource.hpp"
#include "../base/config.hpp"
#include "../base/utf8.hpp"
#include "../call/native_call.hpp"
#include "../fiber/stack_use.hpp"
#include "call_bound.hpp"
#include "parameters.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The NIF's name in the library's table, made from how the macro's user wrote the function: no
/// namespaces, and marked, for the plain name is that of the Elixir function around it.
template <std::size_t Size>
struct table_name {
  static constexpr std::string_view prefix = "__native_";
  static constexpr std::string_view suffix = "__";

  explicit(false) consteval table_name(const char (&written)[Size]) {
    std::string_view name(written, Size - 1);
    const std::size_t colon = name.rfind(':');
    if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
    if (!name.empty() && name.front() == '&') name.remove_prefix(1);
    if (!detail::is_ascii(name)) throw "a NIF's name is ASCII here, as the VM reads it in Latin-1";
    std::size_t at = 0;
    for (const char c : prefix) marked[at++] = c;
    for (const char c : name) marked[at++] = c;
    for (const char c : suffix) marked[at++] = c;
    std::size_t plain_at = 0;
    for (const char c : name) plain[plain_at++] = c;
  }

  char marked[Size + prefix.size() + suffix.size()]{};
  char plain[Size]{};
};

/// What a NIF's body can be: what the function returns and its options say which.
struct fiber_body;
struct coroutine_body;
struct pinned_thread_body;

/// The way to start a native call: `start(env, nif, raw)` gives what the NIF returns. Each body's
/// header has its own.
template <auto Function, class Parameters, auto Options, class Body>
struct nif_body {
  // A coroutine's return type brings its header with it.
  static_assert(!std::is_same_v<Body, fiber_body>,
                "a NIF that is no coroutine runs on a fiber: include <upcall.hpp>, which needs "
                "Boost.Context, or make it a coroutine that returns an upcall::task");
};

/// Specialised for what only a frame can use.
template <class T>
inline constexpr bool needs_frame = false;

template <class... Parameters>
consteval bool any_needs_frame(std::type_identity<std::tuple<Parameters...>>) {
  return (needs_frame<std::remove_cvref_t<Parameters>> || ...);
}

template <class... Parameters>
consteval bool can_wait_in_place(std::type_identity<std::tuple<Parameters...>>) {
  return (!waits_in<std::remove_cvref_t<Parameters>, body_kind::coroutine>() && ...);
}

/// Specialised for what only coroutines return.
template <class Result>
inline constexpr bool is_coroutine = false;

template <class Result, auto Options>
consteval auto kind_of_body() {
  if constexpr (is_coroutine<Result>) {
    static_assert(!Options.pinned,
                  "a coroutine is suspended where it co_awaits, and has no use for a thread of its "
                  "own: drop upcall::pinned, or return the value and take an upcall::function");
    return std::type_identity<coroutine_body>{};
  } else if constexpr (Options.pinned) {
    return std::type_identity<pinned_thread_body>{};
  } else {
    return std::type_identity<fiber_body>{};
  }
}

/// The C function behind a bound one. A member function takes its object, as a resource, first.
template <auto Function, auto Options, table_name Name>
struct bound_nif {
  using function_signature = signature<std::remove_cv_t<decltype(Function)>>;

  template <class Signature>
  struct parameters_of {
    using type = typename Signature::arguments;
  };
  template <class Signature>
  requires requires { typename Signature::object; }
  struct parameters_of<Signature> {
    using type =
        decltype(std::tuple_cat(std::declval<std::tuple<resource<typename Signature::object>>>(),
                                std::declval<typename Signature::arguments>()));
  };
  using parameters = typename parameters_of<function_signature>::type;
  static constexpr int arity = static_cast<int>(std::tuple_size_v<parameters>);

  static ERL_NIF_TERM call(ErlNifEnv* env, int, const ERL_NIF_TERM raw[]) noexcept {
    static_assert(is_coroutine<typename function_signature::result> ||
                      can_wait_in_place(std::type_identity<parameters>{}),
                  "only a coroutine can await an upcall::async_function: take an upcall::function, "
                  "or return an upcall::task");
    using own_parameters = std::type_identity<typename function_signature::arguments>;
    static_assert(changes_none(own_parameters{}),
                  "a NIF that changes a parameter by reference changes a copy, and the change is "
                  "lost: take it by value or as const &, and return what has changed");
    static_assert(is_coroutine<typename function_signature::result> ||
                      outlives<typename function_signature::result>(own_parameters{}),
                  "a NIF returns a view, and takes a parameter by value that the view may point "
                  "into, which is gone when it has returned: take that as const &, or return what "
                  "owns itself (a std::string, in the place of a std::string_view)");
    using body =
        typename decltype(kind_of_body<typename function_signature::result, Options>())::type;
    return nif_body<Function, parameters, Options, body>::start(
        env, {Name.plain, arity, Options.dirty, Options.chunk_size, &stack}, raw);
  }

  static inline constinit stack_use stack{Name.plain, arity, UPCALL_MEASURES_STACKS};

  static constexpr ErlNifFunc entry{Name.marked, static_cast<unsigned>(arity), &call,
                                    Options.dirty};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
