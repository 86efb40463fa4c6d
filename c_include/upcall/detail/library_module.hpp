#pragma once

#include <erl_nif.h>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The module that loaded this library: executors answer by its NIFs, and errors name it.
inline constinit ERL_NIF_TERM library_module = 0;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
