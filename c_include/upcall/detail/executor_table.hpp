#pragma once

#include <erl_nif.h>

#include <memory>
#include <mutex>
#include <unordered_map>

#include "../atom.hpp"
#include "executor_link.hpp"
#include "immortal.hpp"
#include "known_pool.hpp"
#include "library_module.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The executors that this library knows: one link, and so one monitor, a process. Threads: any.
class executor_table {
 public:
  /// Gives the link of a process; none when that is dead. `env` is that of the calling thread, null
  /// where that is not the VM's.
  shared_ref<executor_link> find(ErlNifEnv* env, const ErlNifPid& pid) {
    const std::lock_guard held(m_mutex);
    const auto known = m_links.find(pid.pid);
    if (known != m_links.end() && known->second->is_good()) return known->second;

    ErlNifPid reasons;
    const bool reasons_come = enif_whereis_pid(env, atoms::monitor_name.raw(), &reasons) != 0;
    // Without reasons is better than anew each time.
    if (known != m_links.end() && !reasons_come && !known->second->is_dead()) return known->second;

    auto made = shared_ref<executor_link>::make(monitoring_objects, pid);
    if (enif_monitor_process(env, made.get(), &pid, nullptr) != 0) return {};
    if (reasons_come) {
      made->expect_reason();  // before anything can say that none will come
      // Where the calling process has been killed, it can't ask.
      if (enif_monitor_process(env, made.get(), &reasons, nullptr) != 0 ||
          !ask_for_reason(env, reasons, pid, made)) {
        made->process_died(env, reasons);
      }
    }
    m_links.insert_or_assign(pid.pid, made);
    return made;
  }

  /// Forgets a link, unless there is a newer one.
  void forget(const executor_link& dead) noexcept {
    shared_ref<executor_link> last;  // released without the lock
    const std::lock_guard held(m_mutex);
    const auto known = m_links.find(dead.pid().pid);
    if (known == m_links.end() || known->second.get() != &dead) return;
    last = known->second;
    m_links.erase(known);
  }

 private:
  /// Asks `Upcall.Monitor` to tell the link why its process died, once it has. False where it
  /// can't.
  static bool ask_for_reason(ErlNifEnv* env, const ErlNifPid& monitor, const ErlNifPid& pid,
                             const shared_ref<executor_link>& link) {
    const owned_env message;
    return enif_send(
               env, &monitor, message.get(),
               enif_make_tuple4(message.get(), atoms::watch.raw(), library_module,
                                link.term(message.get()), enif_make_pid(message.get(), &pid))) != 0;
  }

  std::mutex m_mutex;
  std::unordered_map<ERL_NIF_TERM, shared_ref<executor_link>> m_links;
};

inline immortal<executor_table> executors;

inline std::shared_ptr<known_pool> executor_link::make_own_pool() {
  const std::lock_guard held(m_mutex);
  if (m_own_pool == nullptr) m_own_pool = std::make_shared<known_pool>(m_executor);
  return m_own_pool;
}

inline std::shared_ptr<known_pool> executor_link::pool() const noexcept {
  const std::lock_guard held(m_mutex);
  return m_pool.lock();
}

inline void executor_link::serve_next(ErlNifEnv* env) noexcept {
  if (const std::shared_ptr<known_pool> of = pool()) of->serve(env, *this);
}

inline void executor_link::process_died(ErlNifEnv* env, const ErlNifPid& pid) noexcept {
  bool is_last_word = false;
  {
    const std::lock_guard held(m_mutex);
    if (pid.pid == m_executor.pid) {
      m_dead = true;
    } else {
      m_reason_comes = false;
    }
    is_last_word = m_dead && !m_reason_comes;
  }
  if (pid.pid == m_executor.pid) leave_pools(env);
  if (is_last_word) fail_all(env, atoms::unknown.raw());
}

inline void executor_link::leave_pools(ErlNifEnv* env) noexcept {
  executors->forget(*this);
  if (const std::shared_ptr<known_pool> of = pool()) of->worker_died(env);
  if (const std::shared_ptr<known_pool> own = own_pool()) own->front_died();
}

inline ERL_NIF_TERM executor_link::tell(ErlNifEnv* env, ERL_NIF_TERM word,
                                        ERL_NIF_TERM content) noexcept {
  if (!enif_is_identical(word, atoms::down.raw())) return enif_make_badarg(env);
  {
    const std::lock_guard held(m_mutex);
    m_dead = true;
  }
  leave_pools(env);
  fail_all(env, content);
  return atoms::ok.raw();
}

inline void executor_link::fail_all(ErlNifEnv* env, ERL_NIF_TERM reason) noexcept {
  // One by one: each may be given to another executor meanwhile, and be in that one's list.
  while (slot* const each = take_first()) {
    each->decide_if_at(*this, env, reply_kind::executor_down, reason);
    enif_release_resource(each);
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
