#pragma once

#include <exception>
#include <optional>
#include <string>

#include "detail/base/config.hpp"
#include "error.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// What is nested in an exception (`std::throw_with_nested`): the innermost `error`, and the texts
/// of what was thrown around it, the outermost first.
struct nested_error {
  explicit nested_error(std::exception_ptr next);

  std::optional<error> innermost;
  std::string outer;
};

}  // namespace detail

/// Gives the innermost `error` of an exception: that itself, or one that it was thrown around by
/// `std::throw_with_nested`. It decides what the caller gets; the texts of the others are put in
/// front of its message, where it has one. Threads: any.
[[nodiscard]] inline std::optional<error> innermost_error(const std::exception_ptr& failure) {
  return detail::nested_error(failure).innermost;
}

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "detail/term/innermost_error.ipp"  // IWYU pragma: export
#endif
