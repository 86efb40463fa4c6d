#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../term.hpp"
#include "executor_link.hpp"
#include "frame_parts.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What came of giving a call to an executor.
enum class placement {
  placed,        ///< `slot::executor()` has it now, and is to be sent the message
  waiting,       ///< for a worker, with its message
  dead,          ///< there is no such process
  calling_self,  ///< the only worker is the process that the call is made for
  overloaded,    ///< as many wait as may
  dropped        ///< nobody waits for the call any more
};

/// Tells this library from others, and this build from the next.
inline constinit std::size_t library_number = 0;

/// A pool, as its front has told: its workers, and the calls of this library that wait until one of
/// them is idle. A worker has one call at a time, so that none waits behind a slow one while
/// another is idle.
///
/// Threads: any. Its lock may be held when a slot or a link locks, never the other way round.
class known_pool {
 public:
  explicit known_pool(const ErlNifPid& front) noexcept : m_front(front) {}

  void set_workers(std::vector<shared_ref<executor_link>> told, std::size_t max_queue) noexcept {
    const std::lock_guard locked(m_mutex);
    m_workers = std::move(told);
    m_max_queue = max_queue;
  }
  void forget_workers() noexcept {
    const std::lock_guard locked(m_mutex);
    m_workers.clear();
  }

  /// Gives a call to an idle worker, or lets it wait with its message; gives it to the front where
  /// the workers are not known, which will route it.
  placement place(slot& call, executor_link& front, ERL_NIF_TERM message) {
    const std::lock_guard locked(m_mutex);
    bool has_other = false;
    // Libraries don't know of each other's calls: of idle workers, each prefers another one.
    for (std::size_t at = 0; at < m_workers.size(); ++at) {
      executor_link& worker = *m_workers[(library_number + at) % m_workers.size()];
      if (worker.is_dead()) {  // the front has another one by now, or soon
        m_workers.clear();
        break;
      }
      if (worker.pid().pid == call.caller() && call.is_heard()) continue;
      has_other = true;
      if (worker.load() > 0) continue;
      const placement found = call.move_to(worker);
      if (found != placement::dead) return found;
      m_workers.clear();
    }
    if (m_workers.empty()) return call.move_to(front);
    if (!has_other) return placement::calling_self;
    if (!call.is_promised() && !has_room()) return placement::overloaded;
    // So that the end of the pool decides it.
    const placement found = call.move_to(front);
    if (found != placement::placed) return found;
    auto env = std::make_unique<owned_env>();
    const ERL_NIF_TERM copy = env->copy(message);
    m_waiting.push_back({shared_ref<slot>::share(call), std::move(env), copy});
    return placement::waiting;
  }

  /// Gives the call that has waited longest to a worker that is idle now. `env` is the worker's.
  void serve(ErlNifEnv* env, executor_link& idle) noexcept {
    const std::lock_guard locked(m_mutex);
    while (!m_waiting.empty() && idle.load() == 0) {
      const waiting_call next = std::move(m_waiting.front());
      m_waiting.pop_front();
      const placement found = next.call->move_to(idle);
      // A worker that is killed just now can't send it; its death decides the call.
      if (found == placement::placed) enif_send(env, &idle.pid(), next.env->get(), next.message);
      if (found == placement::dropped) next.call->leave_executor();  // the front, as below
      if (found != placement::dead) continue;
      send_to_front(env, next);
      return;
    }
  }

  /// A worker has died: the front routes those that wait anew, to the next one.
  void worker_died(ErlNifEnv* env) noexcept {
    const std::lock_guard locked(m_mutex);
    m_workers.clear();
    for (const waiting_call& each : std::exchange(m_waiting, {})) send_to_front(env, each);
  }
  /// The pool is gone: its front's link tells those that wait.
  void front_died() noexcept {
    // They hold that link, as it holds this: let go without the lock.
    std::deque<waiting_call> left;
    const std::lock_guard locked(m_mutex);
    left.swap(m_waiting);
  }

 private:
  struct waiting_call {
    shared_ref<slot> call;
    std::unique_ptr<owned_env> env;
    ERL_NIF_TERM message;
    counted_in here{counts.waiting};
  };

  /// Whether one more may wait. Those that nobody waits for any more go when there is no room.
  bool has_room() noexcept {
    if (m_waiting.size() < m_max_queue) return true;
    std::erase_if(m_waiting, [](const waiting_call& each) {
      if (each.call->is_queued()) return false;
      each.call->leave_executor();  // the front, whose list nobody else would take it from
      return true;
    });
    return m_waiting.size() < m_max_queue;
  }

  // A front that is dead has told all of its calls.
  void send_to_front(ErlNifEnv* env, const waiting_call& call) const noexcept {
    enif_send(env, &m_front, call.env->get(), call.message);
  }

  const ErlNifPid m_front;
  std::mutex m_mutex;
  std::vector<shared_ref<executor_link>> m_workers;  // empty: not known, or one of them has died
  std::size_t m_max_queue = 0;
  std::deque<waiting_call> m_waiting;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
