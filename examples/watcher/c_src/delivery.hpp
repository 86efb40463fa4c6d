#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <upcall.hpp>
#include <utility>

#include "event.hpp"
#include "owner.hpp"
#include "stop_signal.hpp"

namespace watcher {

using handler = upcall::executor_function<void(event)>;

/// What has become of the events. Threads: any.
struct tally {
  std::atomic<std::uint64_t> handled{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> retried{0};
  std::atomic<std::uint64_t> overflows{0};
};

/// What a watch and its thread share.
struct shared_state {
  stop_signal stop;
  tally counts;
};

/// Gives events to the handler. It waits for the answer before it returns, so that one event is
/// under way at a time: they are handled in their order, whatever the number of workers, and what
/// the handler has no time for yet stays with the kernel.
///
/// An event is handled once at most. It is tried again where the handler had not begun: where there
/// is no pool, or no room in it, or no worker had time for it. Where it had (it failed, its worker
/// died, it took too long), the owner is told of it instead.
///
/// Threads: one of native code's own, which it blocks.
class delivery {
 public:
  delivery(handler calls, const owner& reports, std::shared_ptr<shared_state> state)
      : m_handler(std::move(calls)), m_owner(reports), m_state(std::move(state)) {}

  /// Delivers one event, unless it is told to stop before that is begun.
  void deliver(const event& happened) {
    using namespace std::chrono_literals;
    tally& counts = m_state->counts;
    std::chrono::milliseconds pause = 0ms;
    while (!m_state->stop.wait_for(pause)) {
      const upcall::result<void> outcome = m_handler.try_call(happened);
      if (outcome) {
        ++counts.handled;
        return;
      }
      const upcall::error& failure = outcome.error();
      if (failure.has_begun()) {
        ++counts.failed;
        m_owner.tell_failed(happened, failure);
        return;
      }
      ++counts.retried;
      if (pause == 0ms) m_owner.tell_waiting(failure);
      pause = std::clamp(pause * 2, 5ms, 500ms);
    }
  }

 private:
  handler m_handler;
  owner m_owner;
  std::shared_ptr<shared_state> m_state;
};

}  // namespace watcher
