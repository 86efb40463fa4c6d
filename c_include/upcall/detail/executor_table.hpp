#pragma once

#include <erl_nif.h>

#include <memory>
#include <mutex>
#include <unordered_map>

#include "../atom.hpp"
#include "executor_link.hpp"
#include "immortal.hpp"
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
    if (known != m_links.end()) {
      if (known->second->is_good()) return known->second;
      if (!known->second->is_dead()) {
        // `Upcall.Monitor` did not run, or was started again.
        ask_for_reason(env, known->second);
        return known->second;
      }
    }
    auto made = shared_ref<executor_link>::make(monitoring_objects, pid);
    if (enif_monitor_process(env, made.get(), &pid, nullptr) != 0) return {};
    made->open(made);
    ask_for_reason(env, made);
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
  /// Asks `Upcall.Monitor`, where it runs, to make the link known to its process, and to tell it
  /// why that died, once it has.
  static void ask_for_reason(ErlNifEnv* env, const shared_ref<executor_link>& link) {
    ErlNifPid monitor;
    if (enif_whereis_pid(env, atoms::monitor_name.raw(), &monitor) == 0) return;
    link->expect_reason();  // before anything can say that none will come
    const owned_env message;
    const ERL_NIF_TERM wish =
        enif_make_tuple4(message.get(), atoms::watch.raw(), library_module,
                         link.term(message.get()), enif_make_pid(message.get(), &link->pid()));
    // Where the calling process has been killed, it can't ask.
    if (enif_monitor_process(env, link.get(), &monitor, nullptr) != 0 ||
        enif_send(env, &monitor, message.get(), wish) == 0) {
      link->process_died(env, monitor);
    }
  }

  std::mutex m_mutex;
  std::unordered_map<ERL_NIF_TERM, shared_ref<executor_link>> m_links;
};

inline immortal<executor_table> executors;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
