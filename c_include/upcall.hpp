#pragma once

// All of Upcall: what coroutines can use, and what runs on fibers, which need Boost.Context.
// Opt-in, and not here: upcall/stl.hpp (containers), upcall/structs.hpp (enums, structs and keyword
// options), upcall/map.hpp (a function over a range).
// clang-format off
#include "upcall/coroutines.hpp"  // IWYU pragma: export
#include "upcall/function.hpp"    // IWYU pragma: export
#include "upcall/yield_value.hpp"  // IWYU pragma: export
#include "upcall/c_callback.hpp"  // IWYU pragma: export
// clang-format on
