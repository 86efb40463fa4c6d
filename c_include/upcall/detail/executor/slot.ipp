#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "../base/config.hpp"
#include "../call/counts.hpp"
#include "../term/turn_message.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void slot::set_request(owned_env env, ERL_NIF_TERM function,
                                      ERL_NIF_TERM arguments) noexcept {
  m_request.emplace(std::move(env));
  m_function = function;
  m_arguments = arguments;
}

UPCALL_RUNTIME bool slot::enqueue(bool executor_has_spoken) noexcept {
  const auto held = m_meeting.lock();
  if (m_phase != phase::made && m_phase != phase::queued) return false;
  m_phase = phase::queued;
  m_executor_has_spoken.store(executor_has_spoken, std::memory_order_relaxed);
  return true;
}

UPCALL_RUNTIME bool slot::begin() noexcept {
  const auto held = m_meeting.lock();
  if (m_phase != phase::queued) return false;
  m_phase = phase::running;
  m_promised.reset();
  return true;
}

UPCALL_RUNTIME ERL_NIF_TERM slot::give_request(ErlNifEnv* env, ERL_NIF_TERM number) noexcept {
  const ERL_NIF_TERM caller = m_caller == 0 ? atoms::nil.raw() : m_caller;
  const ERL_NIF_TERM given = detail::make_tuple(
      env, number, caller, enif_make_copy(env, m_function), enif_make_copy(env, m_arguments));
  if (!m_heard) m_request.reset();  // else who waits will, on the thread that has made it
  return given;
}

UPCALL_RUNTIME bool slot::end(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content) noexcept {
  auto held = m_meeting.lock();
  m_is_ended = true;
  return decide(std::move(held), env, kind, content);
}

UPCALL_RUNTIME bool slot::drop() noexcept {
  const auto held = m_meeting.lock();
  if (m_phase == phase::done) return false;
  leave_phase(phase::dropped);
  return true;
}

UPCALL_RUNTIME reply slot::take_or_drop() noexcept {
  // An environment that one thread makes and another frees is dear: the VM sends its memory back.
  std::optional<owned_env> freed;
  const auto held = m_meeting.lock();
  if (m_is_ended && m_request) {
    freed.emplace(*std::move(m_request));
    m_request.reset();
  }
  if (m_phase != phase::done) {
    m_reply.has_begun = m_phase == phase::running;
    m_reply.executor_has_spoken = m_executor_has_spoken.load(std::memory_order_relaxed);
    leave_phase(phase::dropped);
  }
  return std::exchange(m_reply, {});
}

UPCALL_RUNTIME bool slot::await(ErlNifEnv* env, ERL_NIF_TERM reference) {
  const auto held = m_meeting.lock();
  if (m_phase == phase::done) return false;
  enif_self(env, &m_waiter);
  m_message.emplace(detail::turn_message(reference));
  return true;
}

UPCALL_RUNTIME bool slot::withdraw() noexcept {
  const auto held = m_meeting.lock();
  if (m_phase == phase::done) return false;
  m_message.reset();
  return true;
}

UPCALL_RUNTIME bool slot::promise() noexcept {
  constexpr std::size_t most = 1000;
  const auto held = m_meeting.lock();
  if (counts.promised.load(std::memory_order_relaxed) >= most) return false;
  m_promised.emplace(counts.promised);
  return true;
}

UPCALL_RUNTIME void slot::leave_phase(phase next) noexcept {
  if (m_phase == phase::queued) given_up_calls.fetch_add(1, std::memory_order_relaxed);
  m_phase = next;
  m_promised.reset();
}

UPCALL_RUNTIME bool slot::decide(std::unique_lock<std::mutex> held, ErlNifEnv* env, reply_kind kind,
                                 ERL_NIF_TERM content) noexcept {
  if (m_phase == phase::done || m_phase == phase::dropped) return false;
  m_reply.kind = kind;
  m_reply.has_begun = m_phase == phase::running;
  if (content != 0 && m_heard) {
    m_reply.content = content;
    // Made where it is needed only: who waits frees it, on another thread.
    if (!detail::is_word(content)) {
      m_reply.env = std::make_shared<owned_env>();
      m_reply.content = m_reply.env->copy(content);
    }
  }
  leave_phase(phase::done);
  if (m_message) enif_send(env, &m_waiter, nullptr, m_message->raw());
  m_meeting.set_done(std::move(held));
  return true;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
