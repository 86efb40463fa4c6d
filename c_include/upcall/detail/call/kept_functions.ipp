#pragma once

#include <utility>

#include "../base/config.hpp"
#include "kept_functions.hpp"
#include "native_call.hpp"
#include "roots.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME kept_functions::unused kept_functions::add(function_copy copy, root_handle used) {
  unused left = take_unused();
  const auto added = m_pairs.insert(m_pairs.end(), {std::move(copy), std::move(used)});
  m_by_address.emplace(added->copy.get(), added);
  m_by_address.emplace(added->used.get(), added);
  return left;
}

UPCALL_RUNTIME kept_functions::unused kept_functions::take_unused() noexcept {
  unused left;
  for (int look = 0; look < looks && !m_pairs.empty(); ++look) {
    const auto first = m_pairs.begin();
    // What only we have, nobody else can begin to use meanwhile.
    if (first->copy.use_count() > 1 || first->used->is_shared()) {
      m_pairs.splice(m_pairs.end(), m_pairs, first);
    } else {
      m_by_address.erase(first->copy.get());
      m_by_address.erase(first->used.get());
      left.splice(left.end(), m_pairs, first);
    }
  }
  return left;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
