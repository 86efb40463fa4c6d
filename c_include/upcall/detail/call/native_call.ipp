#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <vector>

#include "../base/config.hpp"
#include "native_call.hpp"
#include "roots.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void native_call::note_process() noexcept {
  if (m_process != 0) return;
  ErlNifPid self;
  enif_self(process_env(), &self);
  m_process = self.pid;
}

UPCALL_RUNTIME void native_call::remove_held(const held_object& given_up) noexcept {
  const std::lock_guard locked(m_mutex);
  const auto last = std::find_if(m_held.rbegin(), m_held.rend(),
                                 [&](const auto& each) { return each.get() == &given_up; });
  m_held.erase(std::next(last).base());
}

UPCALL_RUNTIME bool native_call::postpone_if_nested() noexcept {
  const auto all = held();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& each) { return each->postpone_if_nested(*this); });
}

UPCALL_RUNTIME void native_call::give_up_held() noexcept {
  const auto all = held();
  for (auto each = all.rbegin(); each != all.rend(); ++each) (*each)->release(number());
}

UPCALL_RUNTIME void native_call::lose_held() noexcept {
  const auto all = held();
  for (auto each = all.rbegin(); each != all.rend(); ++each) (*each)->lose(*this);
}

UPCALL_RUNTIME std::vector<std::shared_ptr<held_object>> native_call::held() const {
  const std::lock_guard locked(m_mutex);
  return m_held;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
