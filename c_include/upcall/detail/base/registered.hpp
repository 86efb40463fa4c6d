#pragma once

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Puts an object into the list of all `T` of this library, the newest first: statics, which are
/// made before the library is loaded and never destroyed while it is.
/// Threads: one, while the library's statics are initialised; any may read the list from then on.
template <class T>
class registered {
 public:
  registered(const registered&) = delete;
  registered& operator=(const registered&) = delete;

  /// Gives the first of all; null where there is none.
  [[nodiscard]] static T* first() noexcept { return s_first; }
  /// Gives the next of all; null after the last.
  [[nodiscard]] T* next() const noexcept { return m_next; }

 protected:
  registered() noexcept = default;
  ~registered() = default;

  /// Adds this, which is a `T` from now on.
  void enter() noexcept {
    m_next = s_first;
    s_first = static_cast<T*>(this);
  }

 private:
  static inline constinit T* s_first = nullptr;

  T* m_next = nullptr;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
