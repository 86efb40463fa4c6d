#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {

template <class T>
class resource;

namespace detail {

/// What a callable takes and gives. A member function takes its object as a resource.
template <class Callable>
struct signature : signature<decltype(&Callable::operator())> {};

template <class R, class... Args>
struct signature<R (*)(Args...)> {
  using result = R;
  using arguments = std::tuple<Args...>;
  static constexpr int arity = sizeof...(Args);
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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
