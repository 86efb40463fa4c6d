#pragma once

#include "detail/base/config.hpp"

namespace upcall UPCALL_HIDDEN {

/// What can come of a call in the place of a value: the three classes of what a function can do
/// instead of returning, and why an executor did not run it, or not to its end.
enum class error_kind {
  raised,         ///< `raise`, or an error of the VM
  exited,         ///< `exit`
  threw,          ///< `throw`
  timed_out,      ///< no answer in time; where it had not begun, it never will
  executor_down,  ///< the executor died meanwhile; `reason()` has its exit reason
  no_executor,    ///< no such process
  calling_self,   ///< the executor is the very process that calls: it would wait for itself
  overloaded      ///< too many calls wait already, for the executor or on dirty IO schedulers
};

}  // namespace UPCALL_HIDDEN
