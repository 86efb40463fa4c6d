#pragma once

#include <pthread.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "delivery.hpp"
#include "event.hpp"
#include "inotify.hpp"
#include "owner.hpp"
#include "stop_signal.hpp"

namespace watcher {

/// How many watching threads there are. A static of a library whose threads run on while `exit`
/// destroys statics must have nothing to destroy.
inline constinit std::atomic<int> live_threads{0};

/// Counts among them for as long as it lives.
struct counted_thread {
  counted_thread() noexcept { ++live_threads; }
  counted_thread(const counted_thread&) = delete;
  counted_thread& operator=(const counted_thread&) = delete;
  ~counted_thread() { --live_threads; }
};

/// What a watching thread runs. The thread owns it, and destroys it at its end: all the memory and
/// file descriptors that it uses are its own, but for the state that it shares with its `watch`.
class watch_loop {
 public:
  /// Begins to hear of events: of all that happen from now on. Throws: see `inotify`.
  watch_loop(const std::string& dir, handler calls, const owner& belongs_to,
             const std::shared_ptr<shared_state>& state)
      : m_dir(dir),
        m_source(dir),
        m_owner(belongs_to),
        m_delivery(std::move(calls), belongs_to, state),
        m_state(state) {}

  /// Delivers events until it is told to stop, or the directory is gone.
  void run() {
    ::pthread_setname_np(::pthread_self(), "watcher");  // for debuggers and /proc
    try {
      m_delivery.deliver(
          {.kind = kind::started, .path = m_dir, .is_directory = true, .cookie = {}});
      while (m_state->stop.wait_for_input(m_source.input())) {
        for (const event& each : m_source.read()) {
          if (each.kind == kind::overflow) ++m_state->counts.overflows;
          m_delivery.deliver(each);
          if (each.kind == kind::gone) return m_owner.tell_gone();
        }
      }
    } catch (const std::exception& failure) {
      m_owner.tell_ended(failure.what());  // out of a thread, it would end the VM
    }
  }

 private:
  counted_thread m_counted;  // first, as the others take a while to go
  std::string m_dir;
  inotify m_source;
  owner m_owner;
  delivery m_delivery;
  std::shared_ptr<shared_state> m_state;
};

/// A directory that is watched, as Elixir holds it.
/// Threads: any.
class watch {
 public:
  watch(const std::string& dir, const handler& calls, const owner& belongs_to)
      : m_thread([loop = std::make_unique<watch_loop>(dir, calls, belongs_to, m_state)] {
          loop->run();
        }) {}
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;

  // On any scheduler, so it may not wait for the thread, which may be waiting for a handler. The
  // thread sees the signal and ends on its own.
  ~watch() {
    m_state->stop.set();
    if (m_thread.joinable()) m_thread.detach();
  }

  /// Ends the thread, and waits for that: as long as a handler that runs takes, and no longer than
  /// its timeout. No handler is called afterwards.
  /// Threads: dirty IO schedulers, which it blocks.
  void stop() {
    m_state->stop.set();
    const std::lock_guard one_at_a_time(m_joining);
    if (m_thread.joinable()) m_thread.join();
  }

  [[nodiscard]] const tally& counts() const noexcept { return m_state->counts; }

 private:
  std::shared_ptr<shared_state> m_state = std::make_shared<shared_state>();
  std::mutex m_joining;
  std::thread m_thread;  // last, as it uses the others
};

}  // namespace watcher
