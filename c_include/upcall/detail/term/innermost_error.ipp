#pragma once

#include <exception>
#include <string>
#include <utility>

#include "../../error.hpp"
#include "../../innermost_error.hpp"
#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME nested_error::nested_error(std::exception_ptr next) {
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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
