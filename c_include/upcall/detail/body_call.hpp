#pragma once

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Refers to a callable that outlives it: the rest of a native call, for who does something around
/// it.
class body_call {
 public:
  template <class Callable>
  explicit body_call(Callable& callable) noexcept
      : m_callable(&callable), m_call([](void* called) { (*static_cast<Callable*>(called))(); }) {}
  void operator()() const { m_call(m_callable); }

 private:
  void* m_callable;
  void (*m_call)(void*);
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
