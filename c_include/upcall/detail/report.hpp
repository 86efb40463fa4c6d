#pragma once

#include <atomic>
#include <cstdio>

#include "config.hpp"
#include "frame.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Tells once that a frame is lost for good; `Upcall.Frame.info/1` counts them all.
inline void report_parked(nif_identity nif) noexcept {
  static constinit std::atomic<bool> told{false};
  if (told.exchange(true, std::memory_order_relaxed)) return;
  std::fprintf(
      stderr,
      "upcall: a native frame of %s/%d could not be finished and keeps what it holds for "
      "good: an exception left a destructor or a noexcept function, also that of an upcall "
      "whose caller had died, or it went on for a hundred upcalls after that. Let "
      "upcall::abandoned pass. Further ones are only counted: see Upcall.Frame.info/1\n",
      nif.name, nif.arity);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
