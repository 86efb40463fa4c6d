#pragma once

#include <erl_nif.h>

#include <exception>

#include "../../error.hpp"
#include "../base/config.hpp"
#include "../fiber/exception_globals.hpp"
#include "../frame/frame_requests.hpp"
#include "coroutine_frame.hpp"
#include "coroutine_promise.hpp"

#if defined(UPCALL_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void coroutine_frame::lose() noexcept {
#if defined(UPCALL_ASAN)
  __asan_handle_no_return();
  // Nothing refers any more to what is lost, and that is no leak.
  exception_globals lost;
  lost.read(exceptions_of_thread());
  if (lost.caught != nullptr) __lsan_ignore_object(lost.caught);
  __lsan_ignore_object(this);
#endif
  // What is being thrown or handled is lost with the stack that it was to unwind.
  exception_globals{}.write(exceptions_of_thread());
  of_this_thread<coroutine_destroyer>() = {};
  __builtin_longjmp(m_way_out, 1);
  __builtin_unreachable();
}

UPCALL_RUNTIME bool coroutine_frame::fail_returned() noexcept {
  try {
    try {
      throw;
    } catch (const bad_term& failure) {
      set_request(detail::bad_return_request(*this, failure.where(), failure.expected(),
                                             failure.got().raw()));
      return false;
    }
  } catch (...) {
    m_failure = std::current_exception();
    set_kind_of_outcome(outcome_kind::failed);
    return true;
  }
}

UPCALL_RUNTIME void coroutine_frame::go_on_without_value() {
  if (kind_of_outcome() == outcome_kind::abandoned) return end_abandoned();
  m_taker = nullptr;
  run_body();
}

UPCALL_RUNTIME void coroutine_frame::end_abandoned() {
  coroutine_promise* each = m_innermost;
  while (each != nullptr) {
    coroutine_promise* const caller = each->caller;
    each->owner->destroy();
    each = caller;
  }
  end_destroyed();
  destroy();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
