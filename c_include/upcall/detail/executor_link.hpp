#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <memory>
#include <mutex>

#include "../atom.hpp"
#include "../term.hpp"
#include "shared_object.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class known_pool;

/// What this library knows of one executor process: its calls under way, and that it lives. It
/// monitors the process once, for all calls. The reason of a death comes from `Upcall.Monitor`
/// (lib/upcall/monitor.ex), as the VM does not tell it to native monitors; where that process does
/// not run, it is `:unknown`.
class executor_link final : public shared_object {
 public:
  explicit executor_link(const ErlNifPid& executor) noexcept : m_executor(executor) {}

  void destroy() noexcept override { std::destroy_at(this); }
  void process_died(ErlNifEnv* env, const ErlNifPid& pid) noexcept override;
  /// `:down`, from `Upcall.Monitor`.
  ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM word, ERL_NIF_TERM content) noexcept override;

  [[nodiscard]] const ErlNifPid& pid() const noexcept { return m_executor; }

  /// Notes that `Upcall.Monitor`, which it monitors as well, will tell the reason of a death.
  void expect_reason() noexcept {
    const std::lock_guard held(m_mutex);
    m_reason_comes = true;
  }
  /// Whether its process lives and the reason of a death would come.
  [[nodiscard]] bool is_good() const noexcept {
    const std::lock_guard held(m_mutex);
    return !m_dead && m_reason_comes;
  }

  /// Takes a call; false when the executor is dead. It keeps a share in the slot for as long as it
  /// has the call.
  bool add(slot& added) noexcept {
    const std::lock_guard held(m_mutex);
    if (m_dead) return false;
    enif_keep_resource(&added);
    added.previous = nullptr;
    added.next = m_first;
    if (m_first != nullptr) m_first->previous = &added;
    m_first = &added;
    ++m_load;
    return true;
  }

  /// Lets a call go that it has.
  void remove(slot& removed) noexcept {
    {
      const std::lock_guard held(m_mutex);
      if (!has(removed)) return;
      unlink(removed);
    }
    enif_release_resource(&removed);
  }

  [[nodiscard]] std::size_t load() const noexcept {
    const std::lock_guard held(m_mutex);
    return m_load;
  }
  [[nodiscard]] bool is_dead() const noexcept {
    const std::lock_guard held(m_mutex);
    return m_dead;
  }

  /// Gives the pool whose front it is; null where that has not told.
  [[nodiscard]] std::shared_ptr<known_pool> own_pool() const noexcept {
    const std::lock_guard held(m_mutex);
    return m_own_pool;
  }
  /// The same, made where there is none.
  std::shared_ptr<known_pool> make_own_pool();
  /// Notes the pool that it is a worker of.
  void set_pool(const std::shared_ptr<known_pool>& of) noexcept {
    const std::lock_guard held(m_mutex);
    m_pool = of;
  }
  /// Takes the next call of its pool, where it has none. `env` is its process's.
  void serve_next(ErlNifEnv* env) noexcept;

 private:
  // With the lock. One that is in no list was let go already.
  [[nodiscard]] bool has(const slot& one) const noexcept {
    return one.previous != nullptr || m_first == &one;
  }

  // With the lock.
  void unlink(slot& one) noexcept {
    (one.previous == nullptr ? m_first : one.previous->next) = one.next;
    if (one.next != nullptr) one.next->previous = one.previous;
    one.next = one.previous = nullptr;
    --m_load;
  }
  // With its share in it.
  slot* take_first() noexcept {
    const std::lock_guard held(m_mutex);
    slot* const first = m_first;
    if (first != nullptr) unlink(*first);
    return first;
  }

  void fail_all(ErlNifEnv* env, ERL_NIF_TERM reason) noexcept;
  void leave_pools(ErlNifEnv* env) noexcept;
  [[nodiscard]] std::shared_ptr<known_pool> pool() const noexcept;

  const ErlNifPid m_executor;
  mutable std::mutex m_mutex;
  bool m_reason_comes = false;
  bool m_dead = false;
  slot* m_first = nullptr;
  std::size_t m_load = 0;
  std::shared_ptr<known_pool> m_own_pool;
  std::weak_ptr<known_pool> m_pool;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
