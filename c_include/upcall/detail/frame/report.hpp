#pragma once

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/config.hpp"
#include "../base/immortal.hpp"
#include "../call/native_call.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Tells once that a frame is lost for good; `Upcall.info/1` counts them all.
inline void report_parked(nif_identity nif) noexcept {
  static constinit std::atomic<bool> told{false};
  if (told.exchange(true, std::memory_order_relaxed)) return;
  std::fprintf(
      stderr,
      "upcall: a native frame of %s/%d could not be finished and keeps what it holds for "
      "good: an exception left a destructor or a noexcept function, also that of an upcall "
      "whose caller had died; or it went on for a hundred upcalls after that, or C code went on "
      "asking a callback that had failed. Let upcall::abandoned pass, and let callbacks answer so "
      "that C returns. Further ones are only counted: see Upcall.info/1\n",
      nif.name, nif.arity);
}

/// Tells, once of each native function, that a call of it goes on which nobody waits for.
/// Threads: any.
inline void report_endless(nif_identity nif) noexcept {
  static immortal<std::mutex> guard;
  static immortal<std::vector<std::pair<std::string_view, int>>> told;
  {
    const std::lock_guard lock(*guard);
    const std::pair<std::string_view, int> name{nif.name, nif.arity};
    if (std::find(told->begin(), told->end(), name) != told->end()) return;
    told->push_back(name);
  }
  std::fprintf(
      stderr,
      "upcall: the caller of %s/%d has died, and for more than a second its native code has "
      "neither "
      "ended nor made an upcall: it still has a thread. In long loops, ask upcall::is_abandoned(). "
      "Further calls of this function are not reported: see Upcall.info/1\n",
      nif.name, nif.arity);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
