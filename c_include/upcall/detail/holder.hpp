#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class exclusive_base;

/// What `exclusive` objects know of a native call that has some: of a frame, or of a pinned call.
class holder {
 public:
  /// `when_free` is called when a nested call that kept it from being finished has ended.
  holder(std::uint64_t own_number, void (*when_free)(holder&) noexcept) noexcept
      : m_number(own_number), m_go_on(when_free) {}
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;

  /// A number that never comes again.
  [[nodiscard]] std::uint64_t number() const noexcept { return m_number; }
  /// Whether its process is gone, known or not yet known to itself.
  [[nodiscard]] bool is_orphaned() const noexcept {
    return m_orphaned.load(std::memory_order_acquire);
  }
  void go_on() noexcept { m_go_on(*this); }

  void add_held(std::shared_ptr<exclusive_base> taken) {
    const std::lock_guard locked(m_mutex);
    m_held.push_back(std::move(taken));
  }
  /// Forgets the newest right to it that there is.
  void remove_held(const exclusive_base& given_up) noexcept {
    const std::lock_guard locked(m_mutex);
    const auto last = std::find_if(m_held.rbegin(), m_held.rend(),
                                   [&](const auto& each) { return each.get() == &given_up; });
    m_held.erase(std::next(last).base());
  }
  /// Gives what it has, oldest first.
  [[nodiscard]] std::vector<std::shared_ptr<exclusive_base>> held() const {
    const std::lock_guard locked(m_mutex);
    return m_held;
  }

  /// Of an abandoned call: whether a nested one still uses what this one holds. It goes on when
  /// that has ended. (exclusive_base.hpp)
  bool postpone_if_nested() noexcept;

  ERL_NIF_TERM process = 0;               ///< set before it holds anything
  std::atomic<bool> is_postponed{false};  ///< abandoned, while a nested call uses what it holds

 protected:
  ~holder() = default;
  /// Threads: where no other can use it any more.
  [[nodiscard]] bool has_held() const noexcept { return !m_held.empty(); }
  void set_orphaned() noexcept { m_orphaned.store(true, std::memory_order_release); }
  void give_up_holds() noexcept;
  /// It will never go on: nobody may use what it holds.
  void lose_holds() noexcept;

 private:
  std::uint64_t m_number;
  void (*m_go_on)(holder&) noexcept;
  std::atomic<bool> m_orphaned{false};
  mutable std::mutex m_mutex;  // of the list; nothing else is locked while it is
  std::vector<std::shared_ptr<exclusive_base>> m_held;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
