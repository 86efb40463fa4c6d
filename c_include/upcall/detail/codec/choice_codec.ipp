#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <string>
#include <utility>

#include "choice_codec.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void refusals::give_up(ERL_NIF_TERM raw) const {
  constexpr auto inside = [](const bad_term& each) { return !each.where().empty(); };
  // The only alternative that looked inside the term is the one that was meant.
  if (std::count_if(m_all.begin(), m_all.end(), inside) == 1)
    throw *std::find_if(m_all.begin(), m_all.end(), inside);
  std::string expected;
  for (const bad_term& each : m_all) {
    if (!expected.empty()) expected += &each == &m_all.back() ? " or " : ", ";
    expected += each.expected();
    if (inside(each)) expected += " (" + each.where().substr(0, each.where().size() - 2) + ")";
  }
  throw bad_term(std::move(expected), raw);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
