#pragma once

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../term.hpp"
#include "../base/spin_policy.hpp"
#include "../call/counts.hpp"
#include "../call/native_call.hpp"
#include "../call/roots.hpp"
#include "../call/waitable.hpp"
#include "../frame/report.hpp"
#include "../term/outcome.hpp"
#include "pinned_call.hpp"

// What the body of a pinned call, and the threads that it starts, ask of its process.

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::raise_kept(std::uint32_t index) noexcept {
  const std::lock_guard locked(m_mutex);
  m_raised = index;
  return enif_make_tuple2(env(), atoms::raise_kept.raw(), enif_make_uint(env(), index));
}

UPCALL_RUNTIME pinned_call::awaited_scope::awaited_scope(pinned_call& call, waitable& awaited)
    : m_call(call) {
  const std::lock_guard locked(call.m_mutex);
  if (call.m_abandoned) throw abandoned{};
  call.m_awaited = &awaited;
}

UPCALL_RUNTIME void pinned_worker::work_for(pinned_call& asked) noexcept {
  if (number == asked.number()) return;
  call = asked.weak_from_this();
  number = asked.number();
  refusals = 0;
  left.restart();
}

UPCALL_RUNTIME void pinned_call::check_may_wait() {
  {
    const std::lock_guard locked(m_mutex);
    if (!m_abandoned) return;
  }
  pinned_worker& here = of_this_thread<pinned_worker>();
  here.work_for(*this);
  // Counted by thread: each of many may be told once.
  if (++here.refusals < most_refusals) throw abandoned{};
  park(0);
}

UPCALL_RUNTIME void pinned_call::wait_for(waitable& awaited, clock::time_point until) {
  check_may_wait();
  const awaited_scope scope(*this, awaited);
  awaited.sleep(until);
}

UPCALL_RUNTIME void pinned_call::check_goes_on() const {
  if (m_abandoned) throw abandoned{};
  if (m_reply != 0) {
    raise("Elixir.RuntimeError",
          "this upcall::function belongs to a native call that has ended; use function::on() or "
          "keep() for one that outlives its call");
  }
}

UPCALL_RUNTIME void pinned_call::bear_question(std::exception_ptr& /*failure*/) noexcept {
  if (!is_left()) return;
  pinned_worker& here = of_this_thread<pinned_worker>();
  here.work_for(*this);
  if (here.left.ends(0)) park(0);
}

UPCALL_RUNTIME void pinned_call::ask(pinned_request& request) {
  if (enif_thread_type() != ERL_NIF_THR_UNDEFINED) {
    raise("Elixir.RuntimeError",
          "this upcall::function belongs to a pinned native call, and was called on a scheduler");
  }
  check_may_wait();
  of_this_thread<pinned_worker>().work_for(*this);
  {
    const std::lock_guard locked(m_mutex);
    check_goes_on();
    // A nested one would wait for the process, which waits for it.
    const native_call* const here = current_call();
    if (here != nullptr && here->stays_on_thread() && here != this) {
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
    check_may_wait();
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
    return is_here() && env == call().env() ? call().raise_kept(m_outcome->index()) : 0;
  }
  [[nodiscard]] std::optional<owned_term> banner_here() const override {
    if (!is_here()) return std::nullopt;
    pinned_request request;
    request.what = enif_make_tuple2(request.env->get(), atoms::banner.raw(),
                                    enif_make_uint(request.env->get(), m_outcome->index()));
    const ERL_NIF_TERM text = call().ask_for_value(request);
    return owned_term(std::move(request.env), text);
  }

 private:
  [[nodiscard]] bool is_here() const noexcept { return current_call() == m_outcome->owner.get(); }
  [[nodiscard]] pinned_call& call() const noexcept {
    return static_cast<pinned_call&>(*m_outcome->owner);
  }

  root_handle m_outcome;
};

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::ask_for_value(pinned_request& request) {
  ask(request);
  if (request.kind == outcome_kind::raised) {
    std::unique_ptr<kept_error> kept;
    if (request.kept) kept = std::make_unique<error_kept_for_pinned>(std::move(request.kept));
    throw detail::error_of_outcome(std::move(request.env), request.outcome, std::move(kept));
  }
  return request.outcome;
}

UPCALL_RUNTIME owned_term pinned_call::fetch(std::uint32_t index) {
  pinned_request request;
  request.what = enif_make_tuple2(request.env->get(), atoms::root.raw(),
                                  enif_make_uint(request.env->get(), index));
  return owned_term(ask_for_value(request));
}

UPCALL_RUNTIME root_handle pinned_call::add_root(ErlNifEnv* env, ERL_NIF_TERM added) {
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

UPCALL_RUNTIME std::unique_ptr<root> pinned_call::make_root() {
  auto made = std::make_unique<root>(call_place{}, m_next_root++);
  made->owner = shared_from_this();
  return made;
}

UPCALL_RUNTIME void pinned_call::drop_root(root* dead) noexcept {
  const std::unique_ptr<root> owned(dead);
  const std::uint32_t index = dead->index();
  decltype(m_added)::node_type unsent;  // goes when the lock is released, with what it has captured
  const std::lock_guard locked(m_mutex);
  unsent = m_added.extract(index);
  if (unsent.empty() && m_reply == 0 && m_raised != index) m_dropped.push_back(index);
}

// Of two threads that add a pair for one function, the second takes what the first has made. What
// is not used any more goes when the lock is released.
UPCALL_RUNTIME function_copy pinned_call::copy_of(const root_handle& used) {
  check_may_wait();
  {
    const std::lock_guard locked(m_mutex);
    check_goes_on();
    if (function_copy known = m_kept.copy_of(used)) return known;
  }
  auto made = std::make_shared<const owned_term>(fetch(used->index()));
  kept_functions::unused unused;
  const std::lock_guard locked(m_mutex);
  check_goes_on();
  if (function_copy known = m_kept.copy_of(used)) return known;
  unused = m_kept.add(made, used);
  return made;
}

UPCALL_RUNTIME root_handle pinned_call::root_of(const function_copy& copy) {
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

UPCALL_RUNTIME void pinned_call::finish(ERL_NIF_TERM reply) noexcept {
  kept_functions::unused kept;
  give_up_held();
  const std::lock_guard locked(m_mutex);
  kept = m_kept.take_all();  // each holds this call; they go when it is unlocked
  m_reply = reply == 0 ? atoms::ok.raw() : reply;
  if (m_abandoned) fail_served();
  fail_queue();
  wake_process();
}

UPCALL_RUNTIME void pinned_call::park(ERL_NIF_TERM reply) noexcept {
  counts.parked.fetch_add(1, std::memory_order_relaxed);  // before anybody is told
  lose_held();
  finish(reply);
  report_parked(nif());
  for (;;) std::this_thread::sleep_for(std::chrono::hours(24));
}

UPCALL_RUNTIME named_answer
pinned_call::call_named(const char* module, const char* function,
                        function_ref<ERL_NIF_TERM(ErlNifEnv*)> make_arguments) {
  pinned_request request;
  ErlNifEnv* const own = request.env->get();
  request.what = enif_make_tuple4(own, atoms::mfa.raw(), detail::make_atom(own, module),
                                  detail::make_atom(own, function), make_arguments(own));
  const ERL_NIF_TERM value = ask_for_value(request);
  return {own, value, std::move(request.env)};
}

UPCALL_RUNTIME void pinned_call::refuse_returned(std::uint32_t index, std::string_view where,
                                                 std::string_view expected, ERL_NIF_TERM got) {
  pinned_request request;
  ErlNifEnv* const own = request.env->get();
  request.what = enif_make_tuple7(own, atoms::bad_return.raw(), enif_make_uint(own, index),
                                  detail::make_text(own, nif().name),
                                  enif_make_int(own, nif().arity), detail::make_text(own, where),
                                  detail::make_text(own, expected), request.env->copy(got));
  ask_for_value(request);
  raise("Elixir.ArgumentError", "expected " + std::string(expected));  // the process has raised
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
