#pragma once

#include <erl_nif.h>

#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../call/roots.hpp"
#include "frame.hpp"
#include "frame_due.hpp"
#include "frame_handles.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM frame::finish(ErlNifEnv* env) noexcept {
  m_is_abandoned = true;
  begin_mark();  // what was borrowed is gone
  if (env != nullptr) m_slice_start = enif_monotonic_time(ERL_NIF_USEC);
  return run_step(env, outcome_kind::abandoned, 0);
}

UPCALL_RUNTIME void frame::drop_root(root* dead) noexcept {
  frame_due& due = m_due.change();
  if (dead->index() == due.selected) due.selected = frame_due::no_function;
  due.kept.drop(dead);
}

UPCALL_RUNTIME void frame::halt_later(root_handle continuation) {
  frame_due& due = m_due.change();
  due.to_halt.push_back(std::move(continuation));
  due.has_news = true;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
