#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "../base/immortal.hpp"
#include "../base/sleeper.hpp"
#include "../call/native_call.hpp"
#include "../term/resource_type.hpp"
#include "frame.hpp"
#include "report.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Runs abandoned frames to their end, on threads of ours: what they do then may take long or
/// block, and no scheduler is to wait for it. One thread, the keeper, runs none: it starts the
/// others as they are needed, and sees what does not end.
class finisher {
 public:
  /// Starts the keeper, once. False when there is no thread to be had. It stays, for later there
  /// may be none when a frame is abandoned, and then nobody would try again.
  bool start() noexcept {
    const std::lock_guard lock(m_mutex);
    if (!m_is_kept) m_is_kept = start_thread([this] { keep(); });
    return m_is_kept;
  }

  /// Takes a frame that nobody will resume. Threads: any.
  void take(frame* left) noexcept {
    counts.abandoned.fetch_add(1, std::memory_order_relaxed);
    requeue(left);
  }

  /// Takes one again that was postponed.
  void requeue(frame* left) noexcept {
    const std::lock_guard lock(m_mutex);
    m_waiting.push_back({left, clock::now()});
    // Under the lock: a thread that looks at the queue now can't go to sleep in between.
    if (m_idle > 0) m_wake.notify_one();
    if (m_keeper_rests || (m_threads < most_usual && m_waiting.size() > m_idle)) wake_keeper();
  }

  /// Sees whether a pinned call comes to its end, whose body has a thread of its own. Threads: any.
  void watch(std::weak_ptr<native_call> left) noexcept {
    const std::lock_guard lock(m_mutex);
    m_pinned.push_back({std::move(left), clock::now()});
    if (m_keeper_rests) wake_keeper();
  }

 private:
  // Frames mostly unwind at once, so a few threads are enough. One that waits for longer than
  // `most_patient` gets another, as many again each time: all wait for less than a second, up to a
  // number that a container's limit on threads leaves room for.
  static constexpr std::size_t most_usual = 4;
  static constexpr std::size_t most_threads = 64;
  static constexpr std::chrono::milliseconds most_patient{250};
  static constexpr std::chrono::milliseconds between_looks{100};
  // What takes longer is told to the operator.
  static constexpr std::chrono::seconds long_time{1};
  // Only the keeper stays for ever: the library may be out of use.
  static constexpr std::chrono::seconds rest{5};

  struct waiting {
    frame* left;
    clock::time_point since;
  };
  /// What one thread does. Lives on its stack.
  struct work {
    nif_identity nif{};
    clock::time_point since{};
    bool needs_look = false;  // there is a frame, and it was not found to take long yet
  };
  struct watched {
    std::weak_ptr<native_call> call;
    clock::time_point since;
  };

  template <class Run>
  static bool start_thread(Run run) noexcept {
    try {
      std::thread(run).detach();
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  // ---- the keeper, with the lock ----

  void keep() noexcept {
    std::unique_lock lock(m_mutex);
    for (;;) {
      start_threads(lock);
      look_at_frames();
      look_at_pinned(lock);
      m_keeper_rests = !needs_look();
      if (m_keeper_rests) {
        m_keeper_wake.wait(lock);
      } else {
        m_keeper_wake.wait_for(lock, between_looks);
      }
    }
  }
  void wake_keeper() noexcept {
    m_keeper_rests = false;
    m_keeper_wake.notify_one();
  }

  [[nodiscard]] bool needs_look() const noexcept {
    return (!m_waiting.empty() && m_threads < most_threads) || !m_pinned.empty() ||
           std::any_of(m_work.begin(), m_work.end(),
                       [](const work* each) { return each->needs_look; });
  }

  void start_threads(std::unique_lock<std::mutex>& lock) noexcept {
    for (std::size_t missing = missing_threads(); missing > 0; --missing) {
      ++m_threads;
      lock.unlock();  // for the kernel takes its time, and schedulers come here
      const bool started = start_thread([this] { finish_frames(); });
      lock.lock();
      if (started) continue;
      --m_threads;  // none to be had now: with the next look
      return;
    }
  }
  [[nodiscard]] std::size_t missing_threads() const noexcept {
    if (m_waiting.size() <= m_idle) return 0;
    const std::size_t unserved = m_waiting.size() - m_idle;
    if (m_threads < most_usual) return std::min(unserved, most_usual - m_threads);
    const clock::time_point late = clock::now() - most_patient;
    std::size_t impatient = 0;
    for (const waiting& each : m_waiting) {
      if (each.since >= late || impatient == most_threads) break;
      ++impatient;
    }
    return std::min({impatient, unserved, m_threads, most_threads - m_threads});
  }

  void look_at_frames() noexcept {
    const clock::time_point long_ago = clock::now() - long_time;
    for (work* const each : m_work) {
      if (!each->needs_look || each->since > long_ago) continue;
      each->needs_look = false;
      report_endless(each->nif);
    }
  }
  void look_at_pinned(std::unique_lock<std::mutex>& lock) noexcept {
    const clock::time_point long_ago = clock::now() - long_time;
    while (!m_pinned.empty() && m_pinned.front().since <= long_ago) {
      const std::weak_ptr<native_call> next = std::move(m_pinned.front().call);
      m_pinned.pop_front();
      lock.unlock();  // for the last to let go of it may be we
      if (const std::shared_ptr<native_call> left = next.lock(); left && left->is_left())
        report_endless(left->nif());
      lock.lock();
    }
  }

  // ---- the others ----

  void finish_frames() noexcept {
    work mine;
    std::unique_lock lock(m_mutex);
    m_work.push_back(&mine);
    while (frame* const left = next_frame(lock)) {
      mine = {left->nif(), clock::now(), true};
      if (m_keeper_rests) wake_keeper();
      lock.unlock();
      finish(left);
      lock.lock();
      mine.needs_look = false;
    }
    std::erase(m_work, &mine);
    --m_threads;
  }

  static void finish(frame* left) noexcept {
    if (left->postpone_if_nested()) return;  // it comes back
    const counted_in counted(counts.finishing);
    left->finish(nullptr);
    counts.abandoned.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Null when the thread is to end: there was nothing to do for a while.
  frame* next_frame(std::unique_lock<std::mutex>& lock) noexcept {
    ++m_idle;
    m_wake.wait_for(lock, rest, [this] { return !m_waiting.empty(); });
    --m_idle;
    if (m_waiting.empty()) return nullptr;
    frame* const left = m_waiting.front().left;
    m_waiting.pop_front();
    return left;
  }

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::condition_variable m_keeper_wake;
  // Lists have no memory before their first element, so that a library which the VM refuses to load
  // leaves none behind when it is closed again.
  std::list<waiting> m_waiting;  // in the order of their time
  std::list<watched> m_pinned;
  std::vector<work*> m_work;
  std::size_t m_threads = 0;
  std::size_t m_idle = 0;
  bool m_is_kept = false;
  bool m_keeper_rests = false;
};

/// The finisher of this library.
inline immortal<finisher> abandoned_frames;

inline void frame::resume_finishing() noexcept { abandoned_frames->requeue(this); }

/// Elixir has let go of a frame. Threads: any scheduler, ours.
inline void destroy_frame_handle(ErlNifEnv*, void* object) noexcept {
  frame* const left = static_cast<frame_handle*>(object)->suspended;
  if (left == nullptr) return;
  left->abandon();
  abandoned_frames->take(left);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
