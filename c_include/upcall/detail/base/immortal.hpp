#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Holds a static that is never destroyed. Scheduler threads and our own still run while `exit`
/// runs the destructors of statics, so ours must have none.
template <class T>
class immortal {
 public:
  template <class... Args>
  explicit immortal(Args&&... args) {
    std::construct_at(reinterpret_cast<T*>(m_storage), std::forward<Args>(args)...);
  }
  immortal(const immortal&) = delete;
  immortal& operator=(const immortal&) = delete;
  ~immortal() = default;

  T& operator*() noexcept { return *reinterpret_cast<T*>(m_storage); }
  T* operator->() noexcept { return reinterpret_cast<T*>(m_storage); }

 private:
  alignas(T) std::byte m_storage[sizeof(T)];
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
