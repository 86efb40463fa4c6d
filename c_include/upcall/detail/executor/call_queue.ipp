#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "call_queue.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME bool wake_up::send(ErlNifEnv* env) const noexcept {
  // From an environment of its own: a message that the VM has to copy by itself wakes its
  // auxiliary thread at each collection of the receiver, which doubled the price of a call.
  const owned_env own;
  return enif_send(env, &worker, own.get(), own.copy(message->raw())) != 0;
}

UPCALL_RUNTIME placement call_queue::add(const std::shared_ptr<slot>& call, wake_up& due) {
  const std::lock_guard locked(m_mutex);
  if (m_closed) return placement::dead;
  if (is_known() && is_only_worker(*call)) return placement::calling_self;
  if (!call->is_promised() && !has_room()) return placement::overloaded;
  if (!call->enqueue(is_known())) return placement::placed;  // nobody waits for it any more
  m_waiting.push_back({call});
  due = wake_up_for(call.get());
  return placement::placed;
}

UPCALL_RUNTIME bool call_queue::take_back(const slot& call) noexcept {
  const std::lock_guard locked(m_mutex);
  const auto found = std::find_if(m_waiting.rbegin(), m_waiting.rend(),
                                  [&](const auto& each) { return each.call.get() == &call; });
  if (found == m_waiting.rend()) return false;
  m_waiting.erase(std::next(found).base());
  return true;
}

UPCALL_RUNTIME void call_queue::note_awake(const wake_up& told) noexcept {
  const std::lock_guard locked(m_mutex);
  worker* const found = find(told.worker);
  // It may have looked, and sleep again, by now.
  if (found != nullptr && found->sleeps == told.sleep) found->awake = true;
}

UPCALL_RUNTIME void call_queue::note_untold(const wake_up& chosen) noexcept {
  const std::lock_guard locked(m_mutex);
  worker* const found = find(chosen.worker);
  if (found != nullptr && found->sleeps == chosen.sleep) found->is_chosen = false;
}

UPCALL_RUNTIME std::shared_ptr<slot> call_queue::take(const ErlNifPid& by) noexcept {
  const std::lock_guard locked(m_mutex);
  worker* const taker = find(by);
  if (taker == nullptr) return nullptr;
  while (!m_waiting.empty()) {
    std::shared_ptr<slot> first = std::move(m_waiting.front().call);
    m_waiting.pop_front();
    if (!first->begin()) continue;
    taker->awake = true;
    ++taker->running;
    return first;
  }
  taker->go_to_sleep();
  return nullptr;
}

UPCALL_RUNTIME bool call_queue::end(const ErlNifPid& by) noexcept {
  const std::lock_guard locked(m_mutex);
  worker* const ended = find(by);
  if (ended == nullptr) return false;
  if (ended->running > 0) --ended->running;
  return stays_awake(*ended);
}

UPCALL_RUNTIME bool call_queue::has_work_for(const ErlNifPid& worker_pid) noexcept {
  const std::lock_guard locked(m_mutex);
  worker* const found = find(worker_pid);
  return found != nullptr && stays_awake(*found);
}

UPCALL_RUNTIME call_queue::consequences call_queue::set_workers(
    const std::vector<told_worker>& alive, std::size_t size, std::size_t max_queue) {
  const std::lock_guard locked(m_mutex);
  std::vector<worker> now;
  for (const told_worker& each : alive) {
    const worker* const before = find(each.pid);
    now.push_back(before == nullptr ? worker{each.pid, each.message} : *before);
  }
  m_workers = std::move(now);
  know({max_queue, 1}, size);
  return {wake_ups(), take_calls_of_only_worker()};
}

UPCALL_RUNTIME std::vector<wake_up> call_queue::remove_worker(const ErlNifPid& dead) {
  const std::lock_guard locked(m_mutex);
  std::erase_if(m_workers, [&](const worker& each) { return each.pid.pid == dead.pid; });
  return wake_ups();
}

UPCALL_RUNTIME void call_queue::close() noexcept {
  std::vector<worker> forgotten;  // released without the lock
  const std::lock_guard locked(m_mutex);
  m_closed = true;
  m_workers.swap(forgotten);
}

UPCALL_RUNTIME std::vector<std::shared_ptr<slot>> call_queue::take_all() {
  const std::lock_guard locked(m_mutex);
  std::vector<std::shared_ptr<slot>> all;
  for (waiting_call& each : m_waiting) all.push_back(std::move(each.call));
  m_waiting.clear();
  return all;
}

UPCALL_RUNTIME call_queue::worker* call_queue::find(const ErlNifPid& pid) noexcept {
  for (worker& each : m_workers)
    if (each.pid.pid == pid.pid) return &each;
  return nullptr;
}

UPCALL_RUNTIME bool call_queue::stays_awake(worker& looking) noexcept {
  if (!m_waiting.empty()) return true;
  looking.go_to_sleep();
  return false;
}

UPCALL_RUNTIME void call_queue::know(const capacity& told, std::size_t size) noexcept {
  m_capacity = told;
  m_size = size;
  if (is_known()) return;
  for (const waiting_call& each : m_waiting) each.call->set_executor_has_spoken();
  m_known.store(true, std::memory_order_release);
}

UPCALL_RUNTIME std::vector<std::shared_ptr<slot>> call_queue::take_calls_of_only_worker() {
  std::vector<std::shared_ptr<slot>> taken;
  std::erase_if(m_waiting, [&](const waiting_call& each) {
    if (!is_only_worker(*each.call)) return false;
    taken.push_back(each.call);
    return true;
  });
  return taken;
}

UPCALL_RUNTIME wake_up call_queue::wake_up_for(const slot* call) {
  worker* chosen = nullptr;
  for (std::size_t at = 0; at < m_workers.size(); ++at) {
    worker& each = m_workers[(library_number + at) % m_workers.size()];
    if (each.awake) continue;
    // It can't take its own call before its function ends, which may wait for that call.
    if (call != nullptr && call->is_heard() && each.pid.pid == call->caller()) continue;
    if (chosen == nullptr || !each.is_chosen) chosen = &each;
    if (!each.is_chosen) break;
  }
  return chosen == nullptr ? wake_up{} : chosen->choose();
}

UPCALL_RUNTIME std::vector<wake_up> call_queue::wake_ups() {
  std::vector<wake_up> all;
  for (worker& each : m_workers) {
    if (all.size() == m_waiting.size()) break;
    if (!each.awake) all.push_back(each.choose());
  }
  return all;
}

UPCALL_RUNTIME bool call_queue::has_room() noexcept {
  if (m_waiting.size() < m_capacity.max_queue || m_waiting.size() < bound()) return true;
  const std::uint64_t given_up = given_up_calls.load(std::memory_order_relaxed);
  if (given_up == m_looked_at) return false;
  m_looked_at = given_up;
  std::erase_if(m_waiting, [](const waiting_call& each) { return !each.call->is_queued(); });
  return m_waiting.size() < bound();
}

UPCALL_RUNTIME std::size_t call_queue::bound() const noexcept {
  if (!is_known()) return most_before_known;
  std::size_t running = 0;
  for (const worker& each : m_workers) running += each.running;
  const std::size_t places = m_size * m_capacity.at_once;
  return m_capacity.max_queue + (places > running ? places - running : 0);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
