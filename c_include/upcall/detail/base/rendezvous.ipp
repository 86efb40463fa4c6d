#pragma once

#include <atomic>
#include <mutex>

#include "config.hpp"
#include "immortal.hpp"
#include "rendezvous.hpp"
#include "sleeper.hpp"
#include "spin_policy.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The sleepers of this library.
UPCALL_RUNTIME immortal<sleeper_pool> sleepers;

UPCALL_RUNTIME void rendezvous::set_done(std::unique_lock<std::mutex> held) noexcept {
  sleeper* const waiter = m_sleeper;
  m_done.store(true, std::memory_order_release);
  held.unlock();
  // From here on the waiter may have freed us.
  if (waiter != nullptr) waiter->wake();
}

UPCALL_RUNTIME bool rendezvous::wait(clock::time_point until, spin_policy& policy) noexcept {
  if (!done() && !policy.spin([this] { return done(); })) sleep(until);
  // Whoever has set it done still holds the lock for an instant, which must not be freed by then.
  const std::lock_guard passed(m_mutex);
  m_sleeper = nullptr;
  return done();
}

UPCALL_RUNTIME void rendezvous::sleep(clock::time_point until) noexcept {
  sleeper* const place = sleepers->take();
  {
    const std::lock_guard held(m_mutex);
    m_sleeper = place;
  }
  place->sleep(until, [this] { return done(); });
  sleepers->give_back(place);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
