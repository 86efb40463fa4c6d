#pragma once

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// False, whatever the type: for a `static_assert` that only who uses its template reaches.
template <class T>
inline constexpr bool never = false;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
