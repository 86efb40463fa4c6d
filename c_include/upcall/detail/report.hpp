#pragma once

#include <atomic>
#include <cstdio>

#include "config.hpp"
#include "frame.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Tells once that a stack is lost for good; `Upcall.Frame.info/1` counts them all.
inline void report_parked(nif_identity nif) noexcept {
  static constinit std::atomic<bool> told{false};
  if (told.exchange(true, std::memory_order_relaxed)) return;
  std::fprintf(stderr,
               "upcall: a native frame of %s/%d could not be finished and keeps its stack for "
               "good: it made an upcall "
               "where it can neither return nor throw (a destructor, a noexcept function), or went "
               "on for a hundred "
               "upcalls after its caller had died. Let upcall::abandoned pass. Further ones are "
               "only counted: see "
               "Upcall.Frame.info/1\n",
               nif.name, nif.arity);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
