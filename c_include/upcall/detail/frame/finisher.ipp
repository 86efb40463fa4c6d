#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "../base/immortal.hpp"
#include "../base/sleeper.hpp"
#include "../call/native_call.hpp"
#include "finisher.hpp"
#include "frame.hpp"
#include "report.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME immortal<finisher> abandoned_frames;

UPCALL_RUNTIME bool finisher::start() noexcept {
  const std::lock_guard lock(m_mutex);
  if (!m_is_kept) m_is_kept = start_thread([this] { keep(); });
  return m_is_kept;
}

UPCALL_RUNTIME void finisher::requeue(frame* left) noexcept {
  const std::lock_guard lock(m_mutex);
  m_waiting.push_back({left, clock::now()});
  // Under the lock: a thread that looks at the queue now can't go to sleep in between.
  if (m_idle > 0) m_wake.notify_one();
  if (m_keeper_rests || (m_threads < most_usual && m_waiting.size() > m_idle)) wake_keeper();
}

UPCALL_RUNTIME void finisher::watch(std::weak_ptr<native_call> left) noexcept {
  const std::lock_guard lock(m_mutex);
  m_pinned.push_back({std::move(left), clock::now()});
  if (m_keeper_rests) wake_keeper();
}

UPCALL_RUNTIME void finisher::keep() noexcept {
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

UPCALL_RUNTIME bool finisher::needs_look() const noexcept {
  return (!m_waiting.empty() && m_threads < most_threads) || !m_pinned.empty() ||
         std::any_of(m_work.begin(), m_work.end(),
                     [](const work* each) { return each->needs_look; });
}

UPCALL_RUNTIME void finisher::start_threads(std::unique_lock<std::mutex>& lock) noexcept {
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

UPCALL_RUNTIME std::size_t finisher::missing_threads() const noexcept {
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

UPCALL_RUNTIME void finisher::look_at_frames() noexcept {
  const clock::time_point long_ago = clock::now() - long_time;
  for (work* const each : m_work) {
    if (!each->needs_look || each->since > long_ago) continue;
    each->needs_look = false;
    report_endless(each->nif);
  }
}

UPCALL_RUNTIME void finisher::look_at_pinned(std::unique_lock<std::mutex>& lock) noexcept {
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

UPCALL_RUNTIME void finisher::finish_frames() noexcept {
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

UPCALL_RUNTIME void finisher::finish(frame* left) noexcept {
  if (left->postpone_if_nested()) return;  // it comes back
  const counted_in counted(counts.finishing);
  left->finish(nullptr);
  counts.abandoned.fetch_sub(1, std::memory_order_relaxed);
}

UPCALL_RUNTIME frame* finisher::next_frame(std::unique_lock<std::mutex>& lock) noexcept {
  ++m_idle;
  m_wake.wait_for(lock, rest, [this] { return !m_waiting.empty(); });
  --m_idle;
  if (m_waiting.empty()) return nullptr;
  frame* const left = m_waiting.front().left;
  m_waiting.pop_front();
  return left;
}

UPCALL_RUNTIME void frame::resume_finishing() noexcept { abandoned_frames->requeue(this); }

UPCALL_RUNTIME void destroy_frame_handle(ErlNifEnv*, void* object) noexcept {
  frame* const left = static_cast<frame_handle*>(object)->suspended;
  if (left == nullptr) return;
  left->abandon();
  abandoned_frames->take(left);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
