#pragma once

#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

[[noreturn]] UPCALL_COLD void throw_no_native_call();

/// Gives the native call that the calling code runs in, also while its arguments are decoded.
/// Throws: `error` where there is none.
native_call& call_or_throw();

/// Gives the native call whose body is running. Throws: `error` where there is none; one of which
/// the arguments are being decoded on a scheduler does not run yet.
native_call& running_call();

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "call_here.ipp"  // IWYU pragma: export
#endif
