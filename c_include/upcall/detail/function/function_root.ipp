#pragma once

#include <erl_nif.h>

#include <utility>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../call/native_call.hpp"
#include "../frame/frame.hpp"
#include "../frame/frame_requests.hpp"
#include "../term/call_here.hpp"
#include "function_root.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void function_root::halt_later() {
  if (!m_root) return;
  auto* const running = static_cast<frame*>(m_root->place().here());
  // Nobody enumerates for a process that is gone.
  if (running != nullptr && running->env() != nullptr) running->halt_later(std::move(m_root));
}

UPCALL_RUNTIME native_call& function_root::call_here() const {
  if (!m_root) detail::throw_function_moved_from();
  native_call* const call = m_root->call_here();
  if (call == nullptr) throw_elsewhere();
  return *call;
}

UPCALL_RUNTIME void function_root::throw_elsewhere() {
  running_call().check_may_await();  // says so where there is none at all
  raise("Elixir.RuntimeError",
        "this function of Elixir's belongs to another native call, or to one that has ended; "
        "use keep() for one that outlives its call");
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
