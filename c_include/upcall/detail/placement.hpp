#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "exception_replies.hpp"
#include "executor_link.hpp"
#include "executor_table.hpp"
#include "known_pool.hpp"
#include "slot.hpp"

// Which process of an executor gets a call, and what that process says of it.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Decides a call that could not be placed. Gives false.
inline bool refuse(slot& call, ErlNifEnv* env, placement why) noexcept {
  if (why == placement::dead) call.decide(env, reply_kind::no_executor);
  if (why == placement::calling_self) call.decide(env, reply_kind::calling_self);
  if (why == placement::overloaded) call.decide(env, reply_kind::overloaded);
  return false;
}

inline placement slot::move_to(executor_link& executor) noexcept {
  const auto held = m_meeting.lock();
  if (m_phase != phase::queued) return placement::dropped;
  leave_executor(held);  // first: it has place in one list only
  if (!executor.add(*this)) return placement::dead;
  m_executor = shared_ref<executor_link>::share(executor);
  return placement::placed;
}

inline shared_ref<executor_link> slot::leave_executor(
    const std::unique_lock<std::mutex>& /*held*/) noexcept {
  shared_ref<executor_link> left = std::exchange(m_executor, {});
  if (left) left->remove(*this);
  return left;
}

inline ERL_NIF_TERM raise_not_asked(ErlNifEnv* env) noexcept {
  return detail::raise_argument_error(
      env, "this call was answered already, or another process was asked for it");
}

inline bool slot::is_at_caller_of(ErlNifEnv* env) const noexcept {
  ErlNifPid self;
  return m_executor && enif_self(env, &self) != nullptr && self.pid == m_executor->pid().pid;
}

inline ERL_NIF_TERM slot::begin(ErlNifEnv* env) noexcept {
  shared_ref<executor_link> left;
  {
    const auto held = m_meeting.lock();
    if (!is_at_caller_of(env)) return detail::raise_not_asked(env);
    if (m_phase == phase::running || m_answered)
      return detail::raise_argument_error(env, "this call was begun already");
    if (m_phase == phase::queued) {
      leave_queue(phase::running);
      return atoms::true_.raw();
    }
    m_answered = true;
    left = leave_executor(held);
  }
  left->serve_next(env);
  return atoms::false_.raw();
}

inline ERL_NIF_TERM slot::answer(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content) noexcept {
  ERL_NIF_TERM heard = atoms::dropped.raw();
  shared_ref<executor_link> left;
  {
    auto held = m_meeting.lock();
    if (!is_at_caller_of(env)) return detail::raise_not_asked(env);
    if (m_answered || m_phase == phase::queued)
      return detail::raise_argument_error(env, "this call was answered already, or has not begun");
    m_answered = true;
    // Before the caller goes on: its next call is not to find this one in its way.
    left = leave_executor(held);
    if (m_phase == phase::running) {
      decide(std::move(held), env, kind, content);
      heard = m_heard ? atoms::ok.raw() : atoms::unheard.raw();
    }
  }
  left->serve_next(env);
  return heard;
}

/// `pool` is `{workers, max_queue, message}`: what the front knows, and the call as it has it.
inline ERL_NIF_TERM slot::route(ErlNifEnv* env, ERL_NIF_TERM pool) noexcept {
  shared_ref<executor_link> front;
  {
    const auto held = m_meeting.lock();
    if (!is_at_caller_of(env)) return detail::raise_not_asked(env);
    front = m_executor;
  }
  int arity = 0;
  const ERL_NIF_TERM* parts = nullptr;
  ErlNifUInt64 max_queue = 0;
  if (!enif_get_tuple(env, pool, &arity, &parts) || arity != 3 || !enif_is_list(env, parts[0]) ||
      !enif_get_uint64(env, parts[1], &max_queue)) {
    return detail::raise_argument_error(env,
                                        "expected the workers of a pool, its bound and the call");
  }
  const std::shared_ptr<known_pool> known = front->make_own_pool();
  std::vector<shared_ref<executor_link>> workers;
  ERL_NIF_TERM rest = parts[0];
  ERL_NIF_TERM worker = 0;
  while (enif_get_list_cell(env, rest, &worker, &rest)) {
    ErlNifPid pid;
    if (!enif_get_local_pid(env, worker, &pid)) return enif_make_badarg(env);
    shared_ref<executor_link> link = executors->find(env, pid);
    if (!link) return enif_make_tuple2(env, atoms::dead.raw(), worker);
    link->set_pool(known);
    workers.push_back(std::move(link));
  }
  known->set_workers(std::move(workers), static_cast<std::size_t>(max_queue));

  const placement found = known->place(*this, *front, parts[2]);
  if (found == placement::waiting) return atoms::waiting.raw();
  if (found == placement::placed) {
    const shared_ref<executor_link> chosen = executor();
    // Where one of them died between the two looks at it, the front has it again.
    if (chosen.get() == front.get()) return route(env, pool);
    if (chosen) {
      return enif_make_tuple2(env, atoms::forward.raw(), enif_make_pid(env, &chosen->pid()));
    }
  }
  detail::refuse(*this, env, found);
  leave_executor();
  return atoms::refused.raw();
}

inline ERL_NIF_TERM slot::tell(ErlNifEnv* env, ERL_NIF_TERM word, ERL_NIF_TERM content) noexcept {
  if (enif_is_identical(word, atoms::begin.raw())) return begin(env);
  if (enif_is_identical(word, atoms::returned.raw()))
    return answer(env, reply_kind::returned, content);
  if (enif_is_identical(word, atoms::raised.raw())) return answer(env, reply_kind::raised, content);
  if (enif_is_identical(word, atoms::route.raw())) return route(env, content);
  if (enif_is_identical(word, atoms::down.raw()))
    return answer(env, reply_kind::executor_down, content);
  return enif_make_badarg(env);
}

/// `tell(object, word, content)`: what an executor or `Upcall.Monitor` says of a call or a link.
/// Never on a dirty scheduler: blocked callers may hold them all.
inline ERL_NIF_TERM tell(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
  void* object = nullptr;
  if (!enif_get_resource(env, argv[0], plain_objects.type(), &object) &&
      !enif_get_resource(env, argv[0], monitoring_objects.type(), &object)) {
    return detail::raise_argument_error(env, "expected a call that this library has made");
  }
  return static_cast<shared_object*>(object)->tell(env, argv[1], argv[2]);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
