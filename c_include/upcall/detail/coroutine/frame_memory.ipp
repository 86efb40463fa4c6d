#pragma once

#include <erl_nif.h>

#include "../base/config.hpp"
#include "frame_memory.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME bool frame_memory::is_scheduler() noexcept {
  if (m_thread == thread::unknown)
    m_thread = enif_thread_type() == ERL_NIF_THR_UNDEFINED ? thread::of_others : thread::scheduler;
  return m_thread == thread::scheduler;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
