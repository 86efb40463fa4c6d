#pragma once

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "../../atom.hpp"
#include "../../executor.hpp"
#include "../base/immortal.hpp"
#include "../base/library_part.hpp"
#include "../call/counts.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives a call to its executor on the courier's thread; false when that does not run.
/// (dispatch.ipp)
bool place_deferred(const executor& to, const std::shared_ptr<slot>& call) noexcept;

/// Counts a cast that was accepted, and whose executor does not run, as it has turned out; has
/// `Upcall.Monitor`, where that runs, log it. Threads: the courier's.
inline void report_lost_cast(const executor& to) noexcept {
  ErlNifPid monitor;
  if (enif_whereis_pid(nullptr, atoms::monitor_name.raw(), &monitor) != 0) {
    const owned_env env;
    enif_send(nullptr, &monitor, env.get(),
              enif_make_tuple3(env.get(), atoms::lost.raw(), library_module, to.raw()));
  }
  counts.lost_casts.fetch_add(1, std::memory_order_relaxed);
}

/// Sends the calls of threads that can't: of schedulers without an environment to send from, as in
/// the destructor of another library's resource, where the VM takes messages from none. It does so
/// in order, on a thread of ours, which ends when it has had nothing to do for a while: the library
/// may be out of use. Threads: any.
class courier {
 public:
  /// Takes a call. Gives its number; 0 when there is no thread to be had, and then nobody will send
  /// it.
  std::uint64_t take(const executor& to, const std::shared_ptr<slot>& call) noexcept {
    std::uint64_t number = 0;
    {
      const std::lock_guard held(m_mutex);
      if (!m_runs && !start_thread()) return 0;
      m_letters.push_back({to, call});
      number = m_taken.load(std::memory_order_relaxed) + 1;
      m_taken.store(number, std::memory_order_relaxed);
    }
    m_wake.notify_one();
    return number;
  }

  /// Gives the number of the last call that it has taken.
  [[nodiscard]] std::uint64_t last_taken() const noexcept {
    return m_taken.load(std::memory_order_relaxed);
  }
  /// Whether the call of that number, and all before it, have been sent.
  [[nodiscard]] bool has_sent(std::uint64_t number) const noexcept {
    return m_sent.load(std::memory_order_acquire) >= number;
  }

 private:
  struct letter {
    executor to;
    std::shared_ptr<slot> call;
  };
  static constexpr std::chrono::seconds rest{5};

  // With the lock.
  bool start_thread() noexcept {
    try {
      std::thread([this] { work(); }).detach();
      return m_runs = true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  void work() noexcept {
    std::unique_lock held(m_mutex);
    while (m_wake.wait_for(held, rest, [this] { return !m_letters.empty(); })) {
      {
        const letter next = std::move(m_letters.front());
        m_letters.pop_front();
        held.unlock();
        if (!detail::place_deferred(next.to, next.call) && !next.call->is_heard())
          detail::report_lost_cast(next.to);
        m_sent.fetch_add(1, std::memory_order_release);
      }
      held.lock();
    }
    m_runs = false;
  }

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::list<letter> m_letters;  // a list for the reason that the finisher has some
  bool m_runs = false;
  std::atomic<std::uint64_t> m_taken{0};
  std::atomic<std::uint64_t> m_sent{0};
};

inline immortal<courier> deferred_calls;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
