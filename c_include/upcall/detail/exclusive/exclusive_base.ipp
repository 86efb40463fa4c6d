#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../term/call_here.hpp"
#include "../term/turn_message.hpp"
#include "exclusive_base.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME hold exclusive_base::lock() {
  native_call& running = running_call();
  running.check_may_wait();
  running.note_process();
  if (std::optional<hold> free = try_lock(running)) return *std::move(free);
  turn mine(*this, running);
  if (enqueue(mine)) running.wait_for(mine, no_deadline);
  return take(mine);
}

UPCALL_RUNTIME bool exclusive_base::await(turn& waiting, ErlNifEnv* env, ERL_NIF_TERM reference) {
  const std::lock_guard lock(m_mutex);
  if (waiting.granted) return false;
  enif_self(env, &waiting.process);
  waiting.message.emplace(detail::turn_message(reference));
  return true;
}

UPCALL_RUNTIME bool exclusive_base::withdraw(turn& waiting) noexcept {
  const std::lock_guard lock(m_mutex);
  if (waiting.granted) return false;
  waiting.message.reset();
  return true;
}

UPCALL_RUNTIME void exclusive_base::release(std::uint64_t number) noexcept {
  native_call* postponed = nullptr;
  {
    const std::lock_guard lock(m_mutex);
    postponed = forget(number);
    if (m_holders.empty()) grant_next();
  }
  if (postponed != nullptr) postponed->resume_finishing();
}

UPCALL_RUNTIME bool exclusive_base::postpone_if_nested(native_call& left) noexcept {
  const std::lock_guard lock(m_mutex);
  const auto found = std::find(m_holders.begin(), m_holders.end(), &left);
  const bool waits = found != m_holders.end() && m_holders.back() != &left;
  left.set_postponed(waits);
  return waits;
}

UPCALL_RUNTIME void exclusive_base::lose(native_call& parked) noexcept {
  native_call* postponed = nullptr;
  {
    const std::lock_guard lock(m_mutex);
    m_lost = true;
    postponed = forget(parked.number());
    while (!m_waiting.empty()) grant_next();
  }
  if (postponed != nullptr) postponed->resume_finishing();
}

UPCALL_RUNTIME native_call& exclusive_base::call_here() {
  native_call& running = running_call();
  running.check_may_await();
  running.note_process();
  return running;
}

UPCALL_RUNTIME std::optional<hold> exclusive_base::try_lock(native_call& running) {
  const std::lock_guard lock(m_mutex);
  if (m_lost) throw_lost();
  if (!m_holders.empty() && !is_nested(running)) return std::nullopt;
  m_holders.push_back(&running);
  running.add_held(shared_from_this());
  return hold(shared_from_this(), running);
}

UPCALL_RUNTIME bool exclusive_base::is_nested(const native_call& running) const noexcept {
  const native_call& newest = *m_holders.back();
  if (&newest == &running) return true;
  return !newest.is_orphaned() && newest.process() == running.process();
}

UPCALL_RUNTIME bool exclusive_base::enqueue(turn& waiting) {
  const std::lock_guard lock(m_mutex);
  m_waiting.push_back(&waiting);
  if (m_holders.empty() || m_lost) grant_next();
  return !waiting.granted;
}

UPCALL_RUNTIME hold exclusive_base::take(turn& waiting) {
  const std::lock_guard lock(m_mutex);
  if (m_lost) throw_lost();
  if (!waiting.granted) {
    if (waiting.interrupted) throw abandoned{};
    raise("Elixir.ArgumentError", "this native call was resumed before its turn");
  }
  waiting.waiter->add_held(shared_from_this());
  waiting.taken = true;
  return hold(shared_from_this(), *waiting.waiter);
}

UPCALL_RUNTIME void exclusive_base::grant_next() noexcept {
  if (m_waiting.empty()) return;
  turn& next = *m_waiting.front();
  m_waiting.pop_front();
  next.granted = true;
  if (!m_lost) m_holders.push_back(next.waiter);
  next.wake.notify_one();
  if (!next.message) return;
  const native_call* const running = current_call();
  // NULL only on our own threads, which are not the VM's. A process that is gone leaves
  // its frame to the finisher, where the turn is passed on.
  ErlNifEnv* const sender = running == nullptr ? nullptr : running->process_env();
  enif_send(sender, &next.process, nullptr, next.message->raw());
}

UPCALL_RUNTIME native_call* exclusive_base::forget(std::uint64_t number) noexcept {
  const auto newest =
      std::find_if(m_holders.rbegin(), m_holders.rend(),
                   [=](const native_call* each) { return each->number() == number; });
  if (newest == m_holders.rend()) return nullptr;
  (*newest)->remove_held(*this);
  m_holders.erase(std::next(newest).base());
  if (m_holders.empty()) return nullptr;
  // It may hold several of these, whose nested calls end at once: one of them brings it back.
  native_call* const outer = m_holders.back();
  return outer->set_postponed(false) ? outer : nullptr;
}

UPCALL_RUNTIME void exclusive_base::leave_queue(turn& waiting) noexcept {
  const std::lock_guard lock(m_mutex);
  if (waiting.granted && !waiting.taken && !m_lost) {
    std::erase(m_holders, waiting.waiter);
    if (m_holders.empty()) grant_next();
  } else if (!waiting.granted) {
    std::erase(m_waiting, &waiting);
  }
}

UPCALL_RUNTIME void exclusive_base::throw_lost() {
  raise("Elixir.RuntimeError",
        "this native object is lost: a native call that was using it was parked (see "
        "Upcall.info/1); make a new one");
}

// Elsewhere than in its call it does nothing: what a call holds is its own, to be changed by the
// thread that runs it, and is given up when it ends.
UPCALL_RUNTIME hold::~hold() {
  if (m_taken == nullptr) return;
  const native_call* const here = current_call();
  if (here != nullptr && here->number() == m_number) m_taken->release(m_number);
}

UPCALL_RUNTIME bool turn::await(ErlNifEnv* env, ERL_NIF_TERM reference) {
  return exclusive->await(*this, env, reference);
}

UPCALL_RUNTIME bool turn::withdraw() noexcept { return exclusive->withdraw(*this); }

UPCALL_RUNTIME void turn::leave() noexcept { exclusive->leave_queue(*this); }

UPCALL_RUNTIME void turn::sleep(clock::time_point /*until*/) noexcept {
  std::unique_lock lock(exclusive->m_mutex);
  wake.wait(lock, [this] { return granted || interrupted; });
}

UPCALL_RUNTIME void turn::interrupt(ErlNifEnv*) noexcept {
  const std::lock_guard lock(exclusive->m_mutex);
  interrupted = true;
  wake.notify_one();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
