#pragma once

#include <tuple>

#include "config.hpp"
#include "never.hpp"

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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
