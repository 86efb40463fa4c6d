#pragma once

#include <utility>

#include "../base/config.hpp"
#include "coroutine_promise.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void coroutine_destroyer::destroy(coroutine_promise& left) noexcept {
  constexpr unsigned most = 100;
  if (m_depth == most) {
    left.caller = std::exchange(m_waiting, &left);
    return;
  }
  ++m_depth;
  left.self.destroy();
  --m_depth;
  while (m_depth == 0 && m_waiting != nullptr)
    destroy(*std::exchange(m_waiting, m_waiting->caller));
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
