#pragma once

#include <thread>

#include "config.hpp"
#include "immortal.hpp"
#include "spin_policy.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME spin_policy::spin_policy() noexcept
    : spin_policy(std::thread::hardware_concurrency()) {}

UPCALL_RUNTIME immortal<spin_policy> spinning;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
