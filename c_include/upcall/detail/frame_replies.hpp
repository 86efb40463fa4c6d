#pragma once

#include <erl_nif.h>

#include <atomic>
#include <memory>

#include "exception_replies.hpp"
#include "frame.hpp"
#include "outcome.hpp"
#include "report.hpp"
#include "resource_type.hpp"
#include "waitable.hpp"

// What a frame says to the trampoline (lib/upcall/nif.ex), and what it makes of its answers.

namespace upcall UPCALL_HIDDEN {
namespace detail {

inline ERL_NIF_TERM frame::reply_of_current_exception() noexcept {
  const codec_scope scope(*this);  // a translator that suspended would change the environment
  return detail::reply_of_current_exception(m_env, m_nif);
}

inline ERL_NIF_TERM frame::first_request(ERL_NIF_TERM request) {
  void* place = enif_alloc_resource(frame_handle_type.type(), sizeof(frame_handle));
  m_handle = std::construct_at(static_cast<frame_handle*>(place), this, m_nif.dirty);
  enif_self(m_env, &m_handle->owner);
  const ERL_NIF_TERM reference = enif_make_resource(m_env, m_handle);
  enif_release_resource(m_handle);
  counts.suspended.fetch_add(1, std::memory_order_relaxed);
  m_was_suspended = true;
  m_roots.end_step(m_env);
  return enif_make_tuple5(m_env, atoms::upcall.raw(), reference, m_roots.map(m_env),
                          selected_function(), request);
}

inline void frame::throw_outcome() {
  if (m_outcome_kind == outcome_kind::abandoned) throw abandoned{};
  throw error_of_outcome(m_env, m_outcome);
}

inline void frame::throw_pending(ERL_NIF_TERM reason) {
  throw error(error_kind::raised, reason, enif_make_list(m_env, 0),
              "an exception was already raised by enif_make_badarg "
              "or enif_raise_exception");
}

inline void frame::throw_abandoned() {
  // A loop that swallows everything would keep a thread for ever.
  constexpr int most = 100;
  if (++m_upcalls_when_abandoned >= most) park(0);
  throw abandoned{};
}

inline void frame::park(ERL_NIF_TERM reply) noexcept {
  m_step->reply = reply;
  counts.parked.fetch_add(1, std::memory_order_relaxed);  // before anybody is told
  lose_holds();
  if (awaited != nullptr) awaited->leave();
  end();
  report_parked(m_nif);
  m_fiber->lose();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
