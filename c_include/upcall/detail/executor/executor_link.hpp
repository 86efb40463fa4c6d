#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../atom.hpp"
#include "../../term.hpp"
#include "../base/immortal.hpp"
#include "../base/library_part.hpp"
#include "call_queue.hpp"
#include "shared_object.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What this library knows of one executor process: its calls that wait and are under way, and that
/// it lives. It is what the process has of the library: it takes calls from the link and answers
/// them by numbers, so that no call depends on when garbage of a process is collected.
///
/// It monitors the process once, for all calls. The reason of a death comes from `Upcall.Monitor`
/// (lib/upcall/executor/monitor.ex), as the VM does not tell it to native monitors; where that
/// process does not run, it is `:unknown`.
///
/// Threads: any. No other lock is taken while its own is held.
class executor_link final : public shared_object {
 public:
  explicit executor_link(const ErlNifPid& executor) noexcept : m_executor(executor) {}

  void destroy() noexcept override { std::destroy_at(this); }
  void process_died(ErlNifEnv* env, const ErlNifPid& pid) noexcept override;
  /// What the executor says (lib/upcall/executor/executor.ex) and `Upcall.Monitor`.
  /// (executor_words.ipp)
  ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM word, ERL_NIF_TERM content) noexcept override;

  [[nodiscard]] const ErlNifPid& pid() const noexcept { return m_executor; }
  /// The calls that this process was called with, by its pid or name.
  [[nodiscard]] call_queue& queue() noexcept { return m_queue; }

  /// Makes it ready for calls. What wakes the process refers to the link, until its death.
  void open(const shared_ref<executor_link>& itself) {
    auto env = std::make_shared<owned_env>();
    const ERL_NIF_TERM raw = detail::make_tuple(env->get(), atoms::upcall.raw(), library_module,
                                                itself.term(env->get()));
    const auto message = std::make_shared<const owned_term>(std::move(env), raw);
    {
      const std::lock_guard held(m_mutex);
      m_message = message;
    }
    m_queue.open(m_executor, message);
  }
  /// Gives what wakes the process; null when it is dead.
  [[nodiscard]] std::shared_ptr<const owned_term> message() const noexcept {
    const std::lock_guard held(m_mutex);
    return m_message;
  }

  /// Notes that `Upcall.Monitor`, which it monitors as well, will tell the reason of a death.
  void expect_reason() noexcept {
    const std::lock_guard held(m_mutex);
    m_reason_comes = true;
  }
  [[nodiscard]] bool is_dead() const noexcept {
    const std::lock_guard held(m_mutex);
    return m_dead;
  }
  /// Whether its process lives and the reason of a death would come.
  [[nodiscard]] bool is_good() const noexcept {
    const std::lock_guard held(m_mutex);
    return !m_dead && m_reason_comes;
  }

  /// Notes the pool that it is a worker of, by the link of its front.
  void set_front(const shared_ref<executor_link>& front) noexcept {
    shared_ref<executor_link> before = front;  // released without the lock
    const std::lock_guard held(m_mutex);
    std::swap(m_front, before);
  }

 private:
  /// A call that the process has begun.
  struct running_call {
    std::uint64_t number;
    std::shared_ptr<slot> call;
    shared_ref<executor_link> front;  // of the pool that it was taken from, if it was
  };

  ERL_NIF_TERM take(ErlNifEnv* env, ERL_NIF_TERM content) noexcept;
  ERL_NIF_TERM answer(ErlNifEnv* env, reply_kind kind, ERL_NIF_TERM content) noexcept;
  ERL_NIF_TERM answer_raised(ErlNifEnv* env, ERL_NIF_TERM content) noexcept;
  ERL_NIF_TERM look(ErlNifEnv* env) noexcept;
  ERL_NIF_TERM set_workers(ErlNifEnv* env, ERL_NIF_TERM content) noexcept;
  void fail_all(ErlNifEnv* env, ERL_NIF_TERM reason) noexcept;
  void leave(ErlNifEnv* env) noexcept;

  [[nodiscard]] bool is_process_of(ErlNifEnv* env) const noexcept {
    ErlNifPid self;
    return enif_self(env, &self) != nullptr && self.pid == m_executor.pid;
  }
  [[nodiscard]] shared_ref<executor_link> front() const noexcept {
    const std::lock_guard held(m_mutex);
    return m_front;
  }
  std::uint64_t add_running(std::shared_ptr<slot> call, shared_ref<executor_link> front) {
    const std::lock_guard held(m_mutex);
    m_running.push_back({m_next_number, std::move(call), std::move(front)});
    return m_next_number++;
  }
  std::optional<running_call> remove_running(std::uint64_t number) noexcept {
    const std::lock_guard held(m_mutex);
    for (auto each = m_running.begin(); each != m_running.end(); ++each) {
      if (each->number != number) continue;
      std::optional<running_call> removed(std::move(*each));
      m_running.erase(each);
      return removed;
    }
    return std::nullopt;
  }

  const ErlNifPid m_executor;
  call_queue m_queue;
  mutable std::mutex m_mutex;  // guards the rest
  bool m_reason_comes = false;
  bool m_dead = false;
  std::shared_ptr<const owned_term> m_message;
  std::uint64_t m_next_number = 0;
  std::vector<running_call> m_running;
  shared_ref<executor_link> m_front;
  std::uint64_t m_lost_casts = 0;  // that nobody has been told of
};

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

extern immortal<executor_table> executors;

/// `tell(link, word, content)`: what an executor or `Upcall.Monitor` says. Never on a dirty
/// scheduler: blocked callers may hold them all.
ERL_NIF_TERM tell(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept;

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "executor_words.ipp"  // IWYU pragma: export
#endif
