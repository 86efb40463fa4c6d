#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "immortal.hpp"
#include "pinned_call.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The threads that pinned calls run on. A few rest for a while when they have done, for starting
/// one costs more than waking one; none stays for ever, for the library may be out of use.
class pinned_threads {
 public:
  /// Runs a call on a thread of its own; false when there is none to be had. Threads: any.
  bool run(std::shared_ptr<pinned_call> call) noexcept {
    const std::lock_guard held(m_mutex);
    if (m_idle > m_waiting.size()) {
      m_waiting.push_back(std::move(call));
      m_wake.notify_one();
      return true;
    }
    try {
      std::thread([this, first = std::move(call)]() mutable { work(std::move(first)); }).detach();
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

 private:
  static constexpr std::size_t most_idle = 8;
  static constexpr std::chrono::seconds rest{5};

  void work(std::shared_ptr<pinned_call> call) noexcept {
    while (call != nullptr) {
      call->run();
      call.reset();
      call = next_call();
    }
  }

  std::shared_ptr<pinned_call> next_call() noexcept {
    std::unique_lock held(m_mutex);
    if (m_idle >= most_idle) return nullptr;
    ++m_idle;
    m_wake.wait_for(held, rest, [this] { return !m_waiting.empty(); });
    --m_idle;
    if (m_waiting.empty()) return nullptr;
    std::shared_ptr<pinned_call> call = std::move(m_waiting.back());
    m_waiting.pop_back();
    return call;
  }

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::vector<std::shared_ptr<pinned_call>> m_waiting;  // each for an idle thread, so in any order
  std::size_t m_idle = 0;
};

inline immortal<pinned_threads> pinned_bodies;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
