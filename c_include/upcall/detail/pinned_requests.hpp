#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "frame_replies.hpp"
#include "immortal.hpp"
#include "pinned_call.hpp"
#include "report.hpp"
#include "spin_policy.hpp"
#include "waitable.hpp"

// How the threads of a pinned call and its process meet.

namespace upcall UPCALL_HIDDEN {
namespace detail {

inline immortal<spin_policy> spinning;

inline void pinned_call::wake_process() noexcept {
  if (!m_message) return;
  // No environment: these threads are not the VM's.
  enif_send(nullptr, &m_owner, nullptr, m_message->raw());
  m_message.reset();
}

inline ERL_NIF_TERM pinned_call::take_roots(ErlNifEnv* env) noexcept {
  const std::lock_guard locked(m_mutex);
  m_start_env = nullptr;
  return m_roots == 0 ? enif_make_new_map(env) : m_roots;
}

inline ERL_NIF_TERM pinned_call::next(ErlNifEnv* env, std::optional<outcome_kind> kind,
                                      ERL_NIF_TERM outcome, ERL_NIF_TERM turn) noexcept {
  const std::lock_guard locked(m_mutex);
  if (kind.has_value() != (m_served != nullptr)) return 0;
  if (kind) {
    pinned_request& served = *std::exchange(m_served, nullptr);
    served.kind = *kind;
    served.outcome = served.env.copy(outcome);
    served.meeting.set_done(served.meeting.lock());
  }
  if (m_reply != 0) {
    fail_queue();
    return enif_make_copy(env, m_reply);
  }
  if (m_first == nullptr) {
    m_message.emplace(turn_message(env, turn));
    return atoms::waiting.raw();
  }
  m_served = m_first;
  m_first = m_first->next;
  if (m_first == nullptr) m_last = &m_first;
  return with_changed_roots(env, enif_make_copy(env, m_served->what));
}

inline ERL_NIF_TERM pinned_call::with_changed_roots(ErlNifEnv* env, ERL_NIF_TERM request) noexcept {
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

/// With the lock: lets those go that nobody will serve.
inline void pinned_call::fail_queue() noexcept {
  while (m_first != nullptr) {
    pinned_request& left = *std::exchange(m_first, m_first->next);
    left.meeting.set_done(left.meeting.lock());
  }
  m_last = &m_first;
}

inline void pinned_call::abandon(ErlNifEnv* env) noexcept {
  {
    const std::lock_guard locked(m_mutex);
    if (m_reply != 0) return;
    m_abandoned = true;
    m_message.reset();
    set_orphaned();
  }
  // While its process had a request, the body waited, and what it holds may be in use below it.
  if (!postpone_if_nested()) release(env);
}

// A nested call has ended, on some thread of the finisher's or of a pinned call.
inline void pinned_call::release(holder& abandoned) noexcept {
  static_cast<pinned_call&>(abandoned).release(nullptr);
}

inline void pinned_call::release(ErlNifEnv* env) noexcept {
  const std::lock_guard locked(m_mutex);
  if (m_served != nullptr) {
    pinned_request& left = *std::exchange(m_served, nullptr);
    left.meeting.set_done(left.meeting.lock());
  }
  fail_queue();
  if (m_awaited != nullptr) m_awaited->interrupt(env);
}

inline void pinned_call::check_not_abandoned() {
  {
    const std::lock_guard locked(m_mutex);
    if (!m_abandoned) return;
    // A loop that swallows everything would keep a core for ever.
    constexpr int most = 100;
    if (++m_upcalls_when_abandoned < most) throw abandoned{};
  }
  park(0);
}

inline void pinned_call::ask(pinned_request& request) {
  if (enif_thread_type() != ERL_NIF_THR_UNDEFINED) {
    raise("Elixir.RuntimeError",
          "this upcall::function belongs to a pinned native call, and was called on a scheduler");
  }
  check_not_abandoned();
  {
    const std::lock_guard locked(m_mutex);
    if (m_abandoned) throw abandoned{};
    if (m_reply != 0) {
      raise("Elixir.RuntimeError",
            "this upcall::function belongs to a native call that has ended; use function::on() or "
            "keep() for one that outlives its call");
    }
    *m_last = &request;
    m_last = &request.next;
    wake_process();
  }
  request.meeting.wait(no_deadline, *spinning);
  if (request.kind == outcome_kind::abandoned) {
    check_not_abandoned();
    raise("Elixir.RuntimeError",
          "the body of this native call has ended while a thread of it waited for a function; join "
          "the threads before");
  }
}

inline ERL_NIF_TERM pinned_call::ask_for_value(pinned_request& request) {
  ask(request);
  if (request.kind == outcome_kind::raised)
    throw error_of_outcome(request.env.get(), request.outcome);
  return request.outcome;
}

inline owned_term pinned_call::fetch_root(std::uint32_t index) {
  pinned_request request;
  request.what = enif_make_tuple2(request.env.get(), atoms::root.raw(),
                                  enif_make_uint(request.env.get(), index));
  return owned_term(ask_for_value(request));
}

inline root_handle pinned_call::add_root(ErlNifEnv* env, ERL_NIF_TERM added) {
  const std::lock_guard locked(m_mutex);
  auto made = std::make_unique<root>(frame_place{}, m_next_root);
  made->pinned = shared_from_this();
  if (m_start_env != nullptr && env == m_start_env) {
    if (m_roots == 0) m_roots = enif_make_new_map(env);
    enif_make_map_put(env, m_roots, enif_make_uint(env, m_next_root), added, &m_roots);
  } else {
    m_added.emplace_back(m_next_root, owned_term(added));
  }
  ++m_next_root;
  return root_handle(made.release());
}

inline void pinned_call::drop_root(std::uint32_t index) noexcept {
  const std::lock_guard locked(m_mutex);
  const auto unsent = std::find_if(m_added.begin(), m_added.end(),
                                   [index](const auto& each) { return each.first == index; });
  if (unsent != m_added.end()) {
    m_added.erase(unsent);
  } else if (m_reply == 0) {
    m_dropped.push_back(index);
  }
}

inline root_handle pinned_call::root_of_kept(const std::shared_ptr<const owned_term>& copy) {
  {
    const std::lock_guard locked(m_mutex);
    for (const auto& [known, used] : m_kept) {
      if (known == copy) return used;
    }
  }
  root_handle made = add_root(copy->env(), copy->raw());
  const std::lock_guard locked(m_mutex);
  m_kept.emplace_back(copy, made);
  return made;
}

inline void pinned_call::finish(ERL_NIF_TERM reply) noexcept {
  std::vector<std::pair<std::shared_ptr<const owned_term>, root_handle>> kept;
  give_up_holds();
  const std::lock_guard locked(m_mutex);
  kept.swap(m_kept);  // each holds this call; they go when it is unlocked
  m_reply = reply == 0 ? atoms::ok.raw() : reply;
  fail_queue();
  wake_process();
}

inline void pinned_call::park(ERL_NIF_TERM reply) noexcept {
  lose_holds();
  finish(reply);
  counts.parked.fetch_add(1, std::memory_order_relaxed);
  report_parked(m_nif);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(24));
}

inline void release_pinned_root(root* last) noexcept {
  const std::unique_ptr<root> owned(last);
  owned->pinned->drop_root(owned->index());
}

/// What Elixir holds of a pinned call: a resource.
struct pinned_handle {
  std::shared_ptr<pinned_call> call;
};

inline resource_type pinned_handle_type{"pinned", [](ErlNifEnv* env, void* object) {
                                          auto* const handle = static_cast<pinned_handle*>(object);
                                          handle->call->abandon(env);
                                          std::destroy_at(handle);
                                        }};

/// `next(call, kind, outcome, turn)`: see `pinned_call::next`; `kind` is `:returned`, `:raised`, or
/// nil where there was no request.
inline ERL_NIF_TERM serve_next(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
  void* object = nullptr;
  if (!enif_get_resource(env, argv[0], pinned_handle_type.type(), &object))
    return raise_argument_error(env, "expected a pinned call of this library as it is loaded now");
  // It may end, and the handle be collected, only after this.
  pinned_call& call = *static_cast<pinned_handle*>(object)->call;
  ErlNifPid self;
  enif_self(env, &self);
  if (self.pid != call.owner().pid || !enif_is_ref(env, argv[3])) {
    return raise_argument_error(
        env, "a pinned call can be served by the process that made it only, with a reference");
  }
  const bool raised = enif_is_identical(argv[1], atoms::raised.raw()) != 0;
  std::optional<outcome_kind> kind;
  if (raised || enif_is_identical(argv[1], atoms::returned.raw()))
    kind = raised ? outcome_kind::raised : outcome_kind::returned;
  const ERL_NIF_TERM reply = call.next(env, kind, argv[2], argv[3]);
  return reply != 0 ? reply
                    : raise_argument_error(env, "this pinned call has no request to be answered");
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
