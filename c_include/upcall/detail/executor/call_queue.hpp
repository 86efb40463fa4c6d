#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../../term.hpp"
#include "../call/counts.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What came of giving a call to an executor.
enum class placement {
  placed,        ///< it runs, unless the executor dies, or nobody waits for it any more
  dead,          ///< there is no such process
  calling_self,  ///< the only worker is the process that the call is made for
  overloaded     ///< as many wait as may
};

/// Tells this library from others, and this build from the next.
inline constinit std::size_t library_number = 0;

/// A worker that is to be told that a call waits: it sleeps. One is told outside of all locks, and
/// then, where that went well, counts as awake.
struct wake_up {
  ErlNifPid worker{};
  std::shared_ptr<const owned_term> message{};
  std::uint64_t sleep = 0;  ///< which of its sleeps that ends

  explicit operator bool() const noexcept { return message != nullptr; }
  /// Sends the message; false where the worker, or the process of `env`, is gone.
  bool send(ErlNifEnv* env) const noexcept;
};

/// How many calls an executor takes.
struct capacity {
  std::size_t max_queue = 0;  ///< how many may wait
  std::size_t at_once = 1;    ///< how many each worker may have at a time
};

/// The calls of this library that wait for one executor, in the order in which they were accepted,
/// and the workers that take them: the process itself, of a server; several, of a pool. All wait
/// here, and none in a mailbox, where a function could take it for its own: a worker gets a message
/// that says no more than that there is something, and takes the calls one by one.
///
/// A worker is *awake* from when it was told until it has looked and found nothing. It looks after
/// each function, so that it need not be told while it runs one. Between the choice of a worker and
/// its being told, others choose another one, if they can: it takes one call, and would leave a
/// second to wait beside idle workers.
///
/// Threads: any. Its lock may be held when a slot locks; nothing is sent or copied while it is.
class call_queue {
 public:
  call_queue() = default;
  call_queue(const call_queue&) = delete;
  call_queue& operator=(const call_queue&) = delete;

  /// What may wait for a process that has not said yet who it is. More than pools usually take, so
  /// that a burst at the start is not refused for the only reason that it came early.
  static constexpr std::size_t most_before_known = 10'000;

  /// Begins with the process that was called: a server, until it says something else. `message`
  /// wakes it.
  void open(const ErlNifPid& process, std::shared_ptr<const owned_term> message) {
    const std::lock_guard locked(m_mutex);
    m_workers.push_back({process, std::move(message)});
  }

  /// Lets a call wait. `due` is who is to be told, if somebody is.
  placement add(const std::shared_ptr<slot>& call, wake_up& due);
  /// Takes a call back, when nobody could be told of it. False when it waits no more.
  bool take_back(const slot& call) noexcept;
  /// Notes that a worker was told.
  void note_awake(const wake_up& told) noexcept;
  /// Notes that a worker could not be told.
  void note_untold(const wake_up& chosen) noexcept;

  /// Gives the call that has waited longest to a worker, begun; null, and that one sleeps, where
  /// none waits.
  std::shared_ptr<slot> take(const ErlNifPid& by) noexcept;
  /// Notes that a worker has ended a call. Gives whether it is to look for another.
  bool end(const ErlNifPid& by) noexcept;
  /// Gives whether a worker is to look for a call; else it sleeps.
  bool has_work_for(const ErlNifPid& worker_pid) noexcept;

  /// Whether it is known how many may wait. Threads: any, unlocked.
  [[nodiscard]] bool is_known() const noexcept { return m_known.load(std::memory_order_acquire); }
  /// Notes what a server says of itself. What waits already runs, however many that are.
  void set_capacity(const capacity& told) noexcept {
    const std::lock_guard locked(m_mutex);
    know(told, m_workers.size());
  }
  struct told_worker {
    ErlNifPid pid;
    std::shared_ptr<const owned_term> message;
  };
  /// What is to be done when the workers of a pool are known.
  struct consequences {
    std::vector<wake_up> due;
    std::vector<std::shared_ptr<slot>>
        refused;  ///< of the only worker, which would wait for itself
  };
  /// Notes the workers of a pool as its front tells them: `alive` of `size`. What one has and
  /// whether it is awake stays known.
  consequences set_workers(const std::vector<told_worker>& alive, std::size_t size,
                           std::size_t max_queue);
  /// Forgets a worker that has died: others have what it has not begun.
  std::vector<wake_up> remove_worker(const ErlNifPid& dead);

  /// The executor is dead: refuses all calls from now on. Those that wait do until they are taken.
  void close() noexcept;
  std::vector<std::shared_ptr<slot>> take_all();

 private:
  struct waiting_call {
    std::shared_ptr<slot> call;
    counted_in here{counts.waiting};
  };

  struct worker {
    ErlNifPid pid;
    std::shared_ptr<const owned_term> message;  // wakes it
    bool awake = false;
    bool is_chosen = false;    // by somebody who is about to tell it
    std::uint64_t sleeps = 0;  // how often it has gone to sleep
    std::size_t running = 0;   // calls of this queue that it has begun

    void go_to_sleep() noexcept {
      awake = false;
      is_chosen = false;
      ++sleeps;
    }
    /// Gives the way to wake it.
    wake_up choose() {
      is_chosen = true;
      return {pid, message, sleeps};
    }
  };

  // All of these with the lock.

  worker* find(const ErlNifPid& pid) noexcept;
  bool stays_awake(worker& looking) noexcept;
  void know(const capacity& told, std::size_t size) noexcept;

  /// Whether the call would wait for the process that it is made for.
  [[nodiscard]] bool is_only_worker(const slot& call) const noexcept {
    return call.is_heard() && m_size == 1 && !m_workers.empty() &&
           m_workers.front().pid.pid == call.caller();
  }
  std::vector<std::shared_ptr<slot>> take_calls_of_only_worker();

  /// Gives a worker that sleeps and could take the call, best one that nobody else is about to
  /// tell. Libraries don't know of each other's calls, so each prefers another one.
  wake_up wake_up_for(const slot* call);
  /// Gives as many that sleep as calls wait.
  std::vector<wake_up> wake_ups();

  /// Whether one more may wait. Those that nobody waits for any more go when there is no room.
  bool has_room() noexcept;
  /// How many may wait, with those that a worker is about to take. A worker that has died counts
  /// for the one that the pool will replace it with.
  [[nodiscard]] std::size_t bound() const noexcept;

  std::mutex m_mutex;  // guards all
  std::deque<waiting_call> m_waiting;
  std::uint64_t m_looked_at = 0;  // of `given_up_calls`, when there was no room last
  std::vector<worker> m_workers;
  std::size_t m_size = 1;  // how many there are, those included that have just died
  capacity m_capacity;
  std::atomic<bool> m_known{false};
  bool m_closed = false;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "call_queue.ipp"  // IWYU pragma: export
#endif
