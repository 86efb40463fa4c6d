#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../term.hpp"
#include "../call/native_call.hpp"
#include "../call/roots.hpp"
#include "../frame/finisher.hpp"
#include "../term/outcome.hpp"
#include "../term/turn_message.hpp"
#include "pinned_call.hpp"

// What the process of a pinned call does for it.

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void pinned_call::wake_process() noexcept {
  if (!m_message) return;
  // No environment: these threads are not the VM's.
  enif_send(nullptr, &m_owner, nullptr, m_message->raw());
  m_message.reset();
}

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::take_roots(ErlNifEnv* env) noexcept {
  const std::lock_guard locked(m_mutex);
  m_start_env = nullptr;
  return m_roots == 0 ? enif_make_new_map(env) : m_roots;
}

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::next(ErlNifEnv* env, std::optional<outcome_kind> kind,
                                              ERL_NIF_TERM outcome, ERL_NIF_TERM turn) noexcept {
  // One that is forged has no text, and is refused where it is read.
  const bool may_copy = kind != outcome_kind::raised || !detail::is_outcome(outcome) ||
                        detail::may_be_copied({outcome});
  const std::lock_guard locked(m_mutex);
  if (kind.has_value() != (m_served != nullptr)) return 0;
  if (kind) {
    const ERL_NIF_TERM first = answer_served(env, *kind, outcome, may_copy);
    if (first != 0) return first;
  }
  if (m_reply != 0) {
    fail_queue();
    return enif_make_copy(env, m_reply);
  }
  if (m_first == nullptr) {
    m_message.emplace(detail::turn_message(turn));
    return atoms::waiting.raw();
  }
  m_served = m_first;
  m_first = m_first->next;
  if (m_first == nullptr) m_last = &m_first;
  return with_changed_roots(env, enif_make_copy(env, m_served->what));
}

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::answer_served(ErlNifEnv* env, outcome_kind kind,
                                                       ERL_NIF_TERM outcome,
                                                       bool may_copy) noexcept {
  pinned_request& served = *std::exchange(m_served, nullptr);
  served.kind = kind;
  ERL_NIF_TERM first = 0;
  if (may_copy) {
    served.outcome = served.env->copy(outcome);
  } else {
    served.outcome = served.env->copy(detail::make_text_outcome(env, outcome));
    served.kept = root_handle(make_root().release());
    first = enif_make_tuple2(env, atoms::keep.raw(), enif_make_uint(env, served.kept->index()));
  }
  served.meeting.set_done(served.meeting.lock());
  return first;
}

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::with_changed_roots(ErlNifEnv* env,
                                                            ERL_NIF_TERM request) noexcept {
  if (m_added.empty() && m_dropped.empty()) return request;
  ERL_NIF_TERM added = enif_make_list(env, 0);
  for (const auto& [index, term] : std::exchange(m_added, {})) {
    added = enif_make_list_cell(
        env, enif_make_tuple2(env, enif_make_uint(env, index), term.copy_to(env)), added);
  }
  ERL_NIF_TERM dropped = enif_make_list(env, 0);
  for (const std::uint32_t index : std::exchange(m_dropped, {}))
    dropped = enif_make_list_cell(env, enif_make_uint(env, index), dropped);
  return enif_make_tuple4(env, atoms::update.raw(), added, dropped, request);
}

UPCALL_RUNTIME void pinned_call::fail_queue() noexcept {
  while (m_first != nullptr) {
    pinned_request& left = *std::exchange(m_first, m_first->next);
    left.meeting.set_done(left.meeting.lock());
  }
  m_last = &m_first;
}

UPCALL_RUNTIME void pinned_call::fail_served() noexcept {
  if (m_served == nullptr) return;
  pinned_request& left = *std::exchange(m_served, nullptr);
  left.meeting.set_done(left.meeting.lock());
}

UPCALL_RUNTIME void pinned_call::abandon(ErlNifEnv* env) noexcept {
  {
    const std::lock_guard locked(m_mutex);
    // Of a call that has ended, a thread that its body has left behind may still wait.
    m_abandoned = m_reply == 0;
    m_message.reset();
    set_orphaned();
  }
  // While its process had a request, the body waited, and what it holds may be in use below it.
  if (!postpone_if_nested()) release(env);
}

// A nested call has given an object up, on some thread of the finisher's or of a pinned call. It
// may have another one still.
UPCALL_RUNTIME void pinned_call::resume_finishing() noexcept {
  if (!postpone_if_nested()) release(nullptr);
}

UPCALL_RUNTIME void pinned_call::release(ErlNifEnv* env) noexcept {
  if (is_left()) abandoned_frames->watch(weak_from_this());
  const std::lock_guard locked(m_mutex);
  fail_served();
  fail_queue();
  if (m_awaited != nullptr) m_awaited->interrupt(env);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
