#pragma once

#include <erl_nif.h>

#include <string_view>

#include "../base/config.hpp"
#include "../call/waitable.hpp"

// What a frame asks of the trampoline (lib/upcall/native/nif.ex), in the words of that.

namespace upcall UPCALL_HIDDEN {
namespace detail {

class frame;

/// Makes the request to let other processes run.
ERL_NIF_TERM yield_request(frame& running) noexcept;

/// Makes the request to call a function by its module and name.
ERL_NIF_TERM mfa_request(frame& running, const char* module, const char* function,
                         ERL_NIF_TERM args);

/// Makes the request to wait until the deadline for what the frame's `awaited` is.
ERL_NIF_TERM wait_request(frame& running, clock::time_point until) noexcept;

/// Makes the request to raise that the function which was called returned something unexpected:
/// only Elixir can show that.
UPCALL_COLD ERL_NIF_TERM bad_return_request(frame& running, std::string_view where,
                                            std::string_view expected, ERL_NIF_TERM got);

/// Throws where a process goes on that was to raise: it never does.
[[noreturn]] UPCALL_COLD void throw_unexpected(std::string_view expected);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "frame_requests.ipp"  // IWYU pragma: export
#endif
