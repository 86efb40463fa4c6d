#pragma once

#include <chrono>

#include "../../error.hpp"
#include "../../executor.hpp"
#include "../base/config.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Makes the error of a call that has no value.
error error_of_reply(const reply& given, const executor& asked, std::chrono::nanoseconds timeout);

/// Throws that the function which an executor ran returned something else. It names the native
/// call as well, where there is one.
[[noreturn]] UPCALL_COLD void throw_bad_answer(const executor& asked, const bad_term& failure);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "executor_failure.ipp"  // IWYU pragma: export
#endif
