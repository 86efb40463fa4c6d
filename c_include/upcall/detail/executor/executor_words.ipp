#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "../term/exception_replies.hpp"
#include "../term/outcome.hpp"
#include "executor_link.hpp"
#include "slot.hpp"

// What an executor and `Upcall.Monitor` say to the link of a process, and what comes of that.

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME immortal<executor_table> executors;

/// Tells workers that calls wait. One that is dead is not missed: its death tells others.
UPCALL_RUNTIME void wake(ErlNifEnv* env, call_queue& queue,
                         const std::vector<wake_up>& due) noexcept {
  for (const wake_up& each : due) {
    if (each.send(env)) {
      queue.note_awake(each);
    } else {
      queue.note_untold(each);
    }
  }
}

/// `take`, with `{max_queue, at_once}` of who takes: begins the call that has waited longest, and
/// gives it, or `:none`.
UPCALL_RUNTIME ERL_NIF_TERM executor_link::take(ErlNifEnv* env, ERL_NIF_TERM content) noexcept {
  if (!m_queue.is_known()) {
    int arity = 0;
    const ERL_NIF_TERM* parts = nullptr;
    ErlNifUInt64 max_queue = 0;
    ErlNifUInt64 at_once = 0;
    if (!enif_get_tuple(env, content, &arity, &parts) || arity != 2 ||
        !enif_get_uint64(env, parts[0], &max_queue) || !enif_get_uint64(env, parts[1], &at_once)) {
      return detail::raise_argument_error(env, "expected how many calls may wait, and run at once");
    }
    m_queue.set_capacity({static_cast<std::size_t>(max_queue), static_cast<std::size_t>(at_once)});
  }
  // Who calls a worker by its own pid wants that one.
  std::shared_ptr<slot> begun = m_queue.take(m_executor);
  shared_ref<executor_link> taken_from;
  if (begun == nullptr) {
    taken_from = front();
    if (taken_from) begun = taken_from->m_queue.take(m_executor);
  }
  if (begun == nullptr) return atoms::none.raw();
  slot& call = *begun;  // which only we can end from now on
  const std::uint64_t number = add_running(std::move(begun), std::move(taken_from));
  return call.give_request(env, enif_make_uint64(env, number));
}

/// `{number, content}`: what came of a call that the process has begun. Gives `{heard, more}`:
/// whether somebody took that, and whether there is more to do.
UPCALL_RUNTIME ERL_NIF_TERM executor_link::answer(ErlNifEnv* env, reply_kind kind,
                                                  ERL_NIF_TERM content) noexcept {
  int arity = 0;
  const ERL_NIF_TERM* parts = nullptr;
  ErlNifUInt64 number = 0;
  if (!enif_get_tuple(env, content, &arity, &parts) || arity != 2 ||
      !enif_get_uint64(env, parts[0], &number)) {
    return detail::raise_argument_error(env, "expected the number of a call, and what came of it");
  }
  const std::optional<running_call> ended = remove_running(number);
  if (!ended) {
    return detail::raise_argument_error(env, "this call was answered already, or has not begun");
  }
  // Before the caller goes on: its next call is not to find this one in its way.
  bool has_more = (ended->front ? ended->front->m_queue : m_queue).end(m_executor);
  if (ended->front) {
    has_more |= m_queue.has_work_for(m_executor);
  } else if (const shared_ref<executor_link> pool = front()) {
    has_more |= pool->m_queue.has_work_for(m_executor);
  }
  ERL_NIF_TERM heard = atoms::dropped.raw();
  const bool is_cast = !ended->call->is_heard();
  if (ended->call->end(env, kind, parts[1])) heard = (is_cast ? atoms::unheard : atoms::ok).raw();
  if (is_cast && kind == reply_kind::executor_down)
    counts.lost_casts.fetch_add(1, std::memory_order_relaxed);
  return detail::make_tuple(env, heard, (has_more ? atoms::true_ : atoms::false_).raw());
}

/// `{number, seen}`, where `seen` ends with the outcome. Before it is what the functions in what
/// follows have captured, which Elixir alone can see: it is asked for, with `{:functions,
/// functions}`, until it is known how much a copy takes. Where that is too much, a text crosses.
/// Gives what `answer` does, with `{:unheard, text}` where it would take long to print the terms
/// for the log.
UPCALL_RUNTIME ERL_NIF_TERM executor_link::answer_raised(ErlNifEnv* env,
                                                         ERL_NIF_TERM content) noexcept {
  int arity = 0;
  const ERL_NIF_TERM* parts = nullptr;
  if (!enif_get_tuple(env, content, &arity, &parts) || arity != 2)
    return answer(env, reply_kind::raised, content);  // which says so
  const auto answer_with = [&](ERL_NIF_TERM outcome) {
    return answer(env, reply_kind::raised, detail::make_tuple(env, parts[0], outcome));
  };
  std::optional<bounded_outcome> outcome;
  try {
    outcome.emplace(env, parts[1]);
  } catch (...) {  // who waits for it is told that it is malformed
    return answer_with(atoms::nil.raw());
  }
  if (const auto& found = outcome->functions(); !found.empty()) {
    return detail::make_tuple(
        env, atoms::functions.raw(),
        enif_make_list_from_array(env, found.data(), static_cast<unsigned>(found.size())));
  }
  const ERL_NIF_TERM said = answer_with(outcome->to_send());
  const ERL_NIF_TERM* heard_and_more = nullptr;
  if (enif_has_pending_exception(env, nullptr) || outcome->is_short() ||
      !enif_get_tuple(env, said, &arity, &heard_and_more) ||
      !enif_is_identical(heard_and_more[0], atoms::unheard.raw()))
    return said;
  return detail::make_tuple(
      env, detail::make_tuple(env, heard_and_more[0], detail::make_text(env, outcome->text())),
      heard_and_more[1]);
}

/// Gives whether a call waits that the process is to take.
UPCALL_RUNTIME ERL_NIF_TERM executor_link::look(ErlNifEnv* /*env*/) noexcept {
  bool has_more = m_queue.has_work_for(m_executor);
  if (const shared_ref<executor_link> pool = front())
    has_more |= pool->m_queue.has_work_for(m_executor);
  return (has_more ? atoms::true_ : atoms::false_).raw();
}

/// `{workers, max_queue}`: the front of a pool says who takes its calls.
UPCALL_RUNTIME ERL_NIF_TERM executor_link::set_workers(ErlNifEnv* env,
                                                       ERL_NIF_TERM content) noexcept {
  int arity = 0;
  const ERL_NIF_TERM* parts = nullptr;
  ErlNifUInt64 max_queue = 0;
  unsigned size = 0;
  if (!enif_get_tuple(env, content, &arity, &parts) || arity != 2 ||
      !enif_get_list_length(env, parts[0], &size) || !enif_get_uint64(env, parts[1], &max_queue)) {
    return detail::raise_argument_error(env, "expected the workers of a pool, and its bound");
  }
  const shared_ref<executor_link> here = shared_ref<executor_link>::share(*this);
  std::vector<call_queue::told_worker> alive;
  ERL_NIF_TERM rest = parts[0];
  ERL_NIF_TERM each = 0;
  while (enif_get_list_cell(env, rest, &each, &rest)) {
    ErlNifPid pid;
    if (!enif_get_local_pid(env, each, &pid)) {
      return detail::raise_argument_error(env, "expected the workers of a pool, by their pids");
    }
    // The front tells anew when it knows that one is dead.
    const shared_ref<executor_link> worker = executors->find(env, pid);
    if (!worker) continue;
    worker->set_front(here);
    if (auto message = worker->message()) alive.push_back({pid, std::move(message)});
  }
  const call_queue::consequences then =
      m_queue.set_workers(alive, size, static_cast<std::size_t>(max_queue));
  for (const std::shared_ptr<slot>& call : then.refused)
    call->decide(env, reply_kind::calling_self);
  detail::wake(env, m_queue, then.due);
  return atoms::ok.raw();
}

UPCALL_RUNTIME ERL_NIF_TERM executor_link::tell(ErlNifEnv* env, ERL_NIF_TERM word,
                                                ERL_NIF_TERM content) noexcept {
  if (enif_is_identical(word, atoms::down.raw())) {  // of `Upcall.Monitor`: it logs what is lost
    {
      const std::lock_guard held(m_mutex);
      m_dead = true;
    }
    leave(env);
    fail_all(env, content);
    const std::lock_guard held(m_mutex);
    return enif_make_uint64(env, std::exchange(m_lost_casts, 0));
  }
  if (!is_process_of(env)) {
    return detail::raise_argument_error(env,
                                        "another process was asked for the calls of this link");
  }
  if (enif_is_identical(word, atoms::take.raw())) return take(env, content);
  if (enif_is_identical(word, atoms::returned.raw()))
    return answer(env, reply_kind::returned, content);
  if (enif_is_identical(word, atoms::raised.raw())) return answer_raised(env, content);
  if (enif_is_identical(word, atoms::lost.raw()))
    return answer(env, reply_kind::executor_down, content);
  if (enif_is_identical(word, atoms::look.raw())) return look(env);
  if (enif_is_identical(word, atoms::workers.raw())) return set_workers(env, content);
  return enif_make_badarg(env);
}

UPCALL_RUNTIME void executor_link::process_died(ErlNifEnv* env, const ErlNifPid& pid) noexcept {
  const bool is_executor = pid.pid == m_executor.pid;
  bool is_last_word = false;
  {
    const std::lock_guard held(m_mutex);
    (is_executor ? m_dead : m_reason_comes) = is_executor;
    is_last_word = m_dead && !m_reason_comes;
  }
  if (is_executor) leave(env);
  if (is_last_word) fail_all(env, atoms::unknown.raw());
}

/// The process is dead: no call comes to it any more, and other workers have those of its pool.
UPCALL_RUNTIME void executor_link::leave(ErlNifEnv* env) noexcept {
  executors->forget(*this);
  m_queue.close();
  std::shared_ptr<const owned_term> message;  // which refers to the link; released without the lock
  shared_ref<executor_link> pool;
  {
    const std::lock_guard held(m_mutex);
    message.swap(m_message);
    std::swap(pool, m_front);
  }
  if (pool) detail::wake(env, pool->m_queue, pool->m_queue.remove_worker(m_executor));
}

/// Decides all calls of a dead executor.
UPCALL_RUNTIME void executor_link::fail_all(ErlNifEnv* env, ERL_NIF_TERM reason) noexcept {
  std::vector<std::shared_ptr<slot>> left = m_queue.take_all();
  {
    const std::lock_guard held(m_mutex);
    for (running_call& each : m_running) left.push_back(std::move(each.call));
    m_running.clear();
  }
  std::size_t lost = 0;
  for (const std::shared_ptr<slot>& each : left)
    if (each->decide(env, reply_kind::executor_down, reason) && !each->is_heard()) ++lost;
  counts.lost_casts.fetch_add(lost, std::memory_order_relaxed);
  const std::lock_guard held(m_mutex);
  m_lost_casts += lost;
}

UPCALL_RUNTIME ERL_NIF_TERM tell(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
  void* object = nullptr;
  if (!enif_get_resource(env, argv[0], monitoring_objects.type(), &object))
    return detail::raise_argument_error(env, "expected a link of this library's to an executor");
  return static_cast<shared_object*>(object)->tell(env, argv[1], argv[2]);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
