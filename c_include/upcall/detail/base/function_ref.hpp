#pragma once

#include <utility>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

template <class Signature>
class function_ref;

/// Refers to a callable that outlives it: for a parameter of a function that is no template.
template <class R, class... Args>
class function_ref<R(Args...)> {
 public:
  template <class Callable>
  explicit(false) function_ref(const Callable& callable) noexcept
      : m_callable(&callable), m_call([](const void* called, Args... args) -> R {
          return (*static_cast<const Callable*>(called))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return m_call(m_callable, std::forward<Args>(args)...); }

 private:
  const void* m_callable;
  R (*m_call)(const void*, Args...);
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
