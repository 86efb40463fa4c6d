#pragma once

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "../atom.hpp"
#include "../error.hpp"
#include "../term.hpp"
#include "frame_parts.hpp"
#include "outcome.hpp"
#include "pinned_call.hpp"
#include "pinned_serving.hpp"
#include "rendezvous.hpp"
#include "report.hpp"
#include "roots.hpp"
#include "spin_policy.hpp"

// What the body of a pinned call, and the threads that it starts, ask the process for.

namespace upcall UPCALL_HIDDEN {
namespace detail {

inline void pinned_call::check_not_abandoned() {
  {
    const std::lock_guard locked(m_mutex);
    if (!m_abandoned) return;
  }
  pinned_worker& here = this_pinned_worker();
  here.work_for(*this);
  // A loop that swallows everything would keep a core for ever. Counted by thread: each of many
  // may be told once.
  constexpr int most = 100;
  if (++here.upcalls_when_abandoned < most) throw abandoned{};
  park(0);
}

inline void pinned_call::check_goes_on() const {
  if (m_abandoned) throw abandoned{};
  if (m_reply != 0) {
    raise("Elixir.RuntimeError",
          "this upcall::function belongs to a native call that has ended; use function::on() or "
          "keep() for one that outlives its call");
  }
}

inline void pinned_call::bear_question() noexcept {
  if (!is_abandoned()) return;
  pinned_worker& here = this_pinned_worker();
  here.work_for(*this);
  if (here.left.ends(0)) park(0);
}

inline void pinned_call::ask(pinned_request& request) {
  if (enif_thread_type() != ERL_NIF_THR_UNDEFINED) {
    raise("Elixir.RuntimeError",
          "this upcall::function belongs to a pinned native call, and was called on a scheduler");
  }
  check_not_abandoned();
  this_pinned_worker().work_for(*this);
  {
    const std::lock_guard locked(m_mutex);
    check_goes_on();
    // A nested one would wait for the process, which waits for it.
    const pinned_call* const here = current_pinned_call();
    if (here != nullptr && here != this) {
      raise("Elixir.RuntimeError",
            "this upcall::function belongs to another native call; use function::keep() for one "
            "that other calls may use");
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

/// The process of a pinned call keeps an error's outcome.
class error_kept_for_pinned final : public kept_error {
 public:
  explicit error_kept_for_pinned(root_handle outcome) noexcept : m_outcome(std::move(outcome)) {}

  [[nodiscard]] std::optional<error_terms> here(ErlNifEnv* /*env*/) const noexcept override {
    return std::nullopt;  // a thread can't read what is its process's
  }
  [[nodiscard]] ERL_NIF_TERM reply_here(ErlNifEnv* env) const noexcept override {
    pinned_call& call = *m_outcome->pinned;
    return env == call.env() && index_here() ? call.raise_kept(m_outcome->index()) : 0;
  }
  [[nodiscard]] std::optional<std::uint32_t> index_here() const noexcept override {
    if (current_frame() != nullptr || current_pinned_call() != m_outcome->pinned.get())
      return std::nullopt;
    return m_outcome->index();
  }

 private:
  root_handle m_outcome;
};

inline ERL_NIF_TERM pinned_call::ask_for_value(pinned_request& request) {
  ask(request);
  if (request.kind == outcome_kind::raised) {
    std::unique_ptr<kept_error> kept;
    if (request.kept) kept = std::make_unique<error_kept_for_pinned>(std::move(request.kept));
    throw detail::error_of_outcome(std::move(request.env), request.outcome, std::move(kept));
  }
  return request.outcome;
}

inline owned_term pinned_call::fetch_root(std::uint32_t index) {
  pinned_request request;
  request.what = enif_make_tuple2(request.env->get(), atoms::root.raw(),
                                  enif_make_uint(request.env->get(), index));
  return owned_term(ask_for_value(request));
}

inline root_handle pinned_call::add_root(ErlNifEnv* env, ERL_NIF_TERM added) {
  const std::lock_guard locked(m_mutex);
  std::unique_ptr<root> made = make_root();
  const std::uint32_t index = made->index();
  if (m_start_env != nullptr && env == m_start_env) {
    if (m_roots == 0) m_roots = enif_make_new_map(env);
    enif_make_map_put(env, m_roots, enif_make_uint(env, index), added, &m_roots);
  } else {
    m_added.emplace(index, owned_term(added));
  }
  return root_handle(made.release());
}

inline std::unique_ptr<root> pinned_call::make_root() {
  auto made = std::make_unique<root>(frame_place{}, m_next_root++);
  made->pinned = shared_from_this();
  return made;
}

inline void pinned_call::drop_root(std::uint32_t index) noexcept {
  decltype(m_added)::node_type unsent;  // goes when the lock is released, with what it has captured
  const std::lock_guard locked(m_mutex);
  unsent = m_added.extract(index);
  if (unsent.empty() && m_reply == 0 && m_raised != index) m_dropped.push_back(index);
}

// Of two threads that add a pair for one function, the second takes what the first has made. What
// is not used any more goes when the lock is released.
inline function_copy pinned_call::copy_of(const root_handle& used) {
  check_not_abandoned();
  {
    const std::lock_guard locked(m_mutex);
    check_goes_on();
    if (function_copy known = m_kept.copy_of(used)) return known;
  }
  auto made = std::make_shared<const owned_term>(fetch_root(used->index()));
  kept_functions::unused unused;
  const std::lock_guard locked(m_mutex);
  check_goes_on();
  if (function_copy known = m_kept.copy_of(used)) return known;
  unused = m_kept.add(made, used);
  return made;
}

inline root_handle pinned_call::root_of(const function_copy& copy) {
  {
    const std::lock_guard locked(m_mutex);
    if (root_handle known = m_kept.root_of(copy)) return known;
  }
  root_handle made = add_root(copy->env(), copy->raw());
  kept_functions::unused unused;
  const std::lock_guard locked(m_mutex);
  if (root_handle known = m_kept.root_of(copy)) return known;
  unused = m_kept.add(copy, made);
  return made;
}

inline void pinned_call::finish(ERL_NIF_TERM reply) noexcept {
  kept_functions::unused kept;
  give_up_holds();
  const std::lock_guard locked(m_mutex);
  kept = m_kept.take_all();  // each holds this call; they go when it is unlocked
  m_reply = reply == 0 ? atoms::ok.raw() : reply;
  if (m_abandoned) fail_served();
  fail_queue();
  wake_process();
}

inline void pinned_call::park(ERL_NIF_TERM reply) noexcept {
  counts.parked.fetch_add(1, std::memory_order_relaxed);  // before anybody is told
  lose_holds();
  finish(reply);
  report_parked(m_nif);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(24));
}

inline void release_pinned_root(root* last) noexcept {
  const std::unique_ptr<root> owned(last);
  owned->pinned->drop_root(owned->index());
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
