#pragma once

#include <erl_nif.h>

#include <cstdint>

#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "courier.hpp"
#include "sending_env.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME sending_env::sending_env(ErlNifEnv* given) {
  const native_call* const running = current_call();
  if (ErlNifEnv* const destructor = this_thread_calls().destructor_env) {
    m_sender = destructor;
  } else if (running != nullptr && running->process_env() != nullptr) {
    m_process = running->process_env();
  } else if (enif_thread_type() == ERL_NIF_THR_UNDEFINED) {
    m_is_ours = true;
  } else {
    m_process = given;
  }
  if (m_process != nullptr && may_send(m_process)) m_sender = m_process;
  m_env = m_process != nullptr ? m_process : m_message.get();
}

UPCALL_RUNTIME bool sending_env::is_deferred() const noexcept {
  return (m_sender == nullptr && !m_is_ours) || !deferred_calls->has_sent(last_deferred());
}

UPCALL_RUNTIME ERL_NIF_TERM sending_env::caller() const noexcept {
  ErlNifPid self;
  if (m_process != nullptr && enif_self(m_process, &self) != nullptr) return self.pid;
  const native_call* const running = current_call();
  return running != nullptr && running->stays_on_thread() ? running->process() : 0;
}

UPCALL_RUNTIME std::uint64_t sending_env::last_deferred() noexcept {
  const native_call* const running = current_call();
  if (running == nullptr || running->stays_on_thread()) return this_thread_calls().last_deferred;
  return running->is_orphaned() ? deferred_calls->last_taken() : 0;
}

UPCALL_RUNTIME bool sending_env::may_send(ErlNifEnv* process) noexcept {
  ErlNifPid self;
  return enif_thread_type() == ERL_NIF_THR_NORMAL_SCHEDULER ||
         enif_self(process, &self) == nullptr || enif_is_current_process_alive(process) != 0;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
