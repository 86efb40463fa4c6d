#pragma once

#include <list>
#include <unordered_map>
#include <utility>

#include "../base/config.hpp"
#include "native_call.hpp"
#include "roots.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The functions of a native call that are both a root and a copy, found by either: a function is
/// copied once, in either direction, as long as one of the two is used. Threads: one at a time.
class kept_functions {
  struct pair {
    function_copy copy;
    root_handle used;
  };

 public:
  kept_functions() = default;
  kept_functions(const kept_functions&) = delete;
  kept_functions& operator=(const kept_functions&) = delete;

  /// Gives the copy of a root; null where it has none.
  [[nodiscard]] function_copy copy_of(const root_handle& used) const {
    const auto found = m_by_address.find(used.get());
    return found == m_by_address.end() ? nullptr : found->second->copy;
  }
  /// Gives the root of a copy; an empty handle where it has none.
  [[nodiscard]] root_handle root_of(const function_copy& copy) const {
    const auto found = m_by_address.find(copy.get());
    return found == m_by_address.end() ? root_handle() : found->second->used;
  }

  /// Pairs that nobody uses any more. What their functions have captured is destroyed with them,
  /// by code of the user's: where no lock is held.
  using unused = std::list<pair>;

  /// Adds a pair, of which neither is there, and gives up some that are not used any more.
  [[nodiscard]] unused add(function_copy copy, root_handle used);

  /// Gives up all.
  [[nodiscard]] unused take_all() noexcept {
    m_by_address.clear();
    return std::exchange(m_pairs, {});
  }

 private:
  // Two are looked at for one that is added, in turn: so there are never many more than are used,
  // and no addition takes long.
  static constexpr int looks = 2;

  unused take_unused() noexcept;

  std::list<pair> m_pairs;  // those that were looked at last at the end
  std::unordered_map<const void*, std::list<pair>::iterator> m_by_address;  // of copy and root
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "kept_functions.ipp"  // IWYU pragma: export
#endif
