#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "detail/base/config.hpp"
#include "error.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// What is nested in an exception (`std::throw_with_nested`): the innermost `error`, and the texts
/// of what was thrown around it, the outermost first.
struct nested_error {
  explicit nested_error(std::exception_ptr next) {
    std::string texts;
    while (next) {
      try {
        std::rethrow_exception(std::exchange(next, nullptr));
      } catch (const std::exception& e) {
        if (const auto* const ours = dynamic_cast<const error*>(&e)) {
          innermost = *ours;
          outer = texts;
        }
        const auto* const nest = dynamic_cast<const std::nested_exception*>(&e);
        if (nest == nullptr) return;
        next = nest->nested_ptr();
        const char* const text = e.what();
        if (text == nullptr || *text == '\0') continue;
        if (!texts.empty()) texts += ": ";
        texts += text;
      } catch (const std::nested_exception& nest) {
        next = nest.nested_ptr();
      } catch (...) {  // has nothing in it
        return;
      }
    }
  }

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
