#pragma once

#include <erl_nif.h>

#include <cstdint>
#include <mutex>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../call/native_call.hpp"
#include "pinned_call.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM pinned_call::raise_kept(std::uint32_t index) noexcept {
  const std::lock_guard locked(m_mutex);
  m_raised = index;
  return enif_make_tuple2(env(), atoms::raise_kept.raw(), enif_make_uint(env(), index));
}

UPCALL_RUNTIME pinned_call::awaited_scope::awaited_scope(pinned_call& call, waitable& awaited)
    : m_call(call) {
  const std::lock_guard locked(call.m_mutex);
  if (call.m_abandoned) throw abandoned{};
  call.m_awaited = &awaited;
}

UPCALL_RUNTIME void pinned_worker::work_for(pinned_call& asked) noexcept {
  if (number == asked.number()) return;
  call = asked.weak_from_this();
  number = asked.number();
  refusals = 0;
  left.restart();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
