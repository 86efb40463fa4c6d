#pragma once

// The parts, in reading order. Opt-in, and not here: upcall/stl.hpp (containers),
// upcall/structs.hpp (enums, structs and keyword options), upcall/map.hpp (a function over a
// range).
// clang-format off
#include "upcall/term.hpp"        // IWYU pragma: export
#include "upcall/error.hpp"       // IWYU pragma: export
#include "upcall/atom.hpp"        // IWYU pragma: export
#include "upcall/codec.hpp"       // IWYU pragma: export
#include "upcall/result.hpp"      // IWYU pragma: export
#include "upcall/function.hpp"    // IWYU pragma: export
#include "upcall/resource.hpp"    // IWYU pragma: export
#include "upcall/nif.hpp"         // IWYU pragma: export
#include "upcall/frame.hpp"       // IWYU pragma: export
#include "upcall/exclusive.hpp"   // IWYU pragma: export
#include "upcall/c_callback.hpp"  // IWYU pragma: export
#include "upcall/executor.hpp"    // IWYU pragma: export
#include "upcall/apply.hpp"       // IWYU pragma: export
#include "upcall/future.hpp"      // IWYU pragma: export
#include "upcall/executor_function.hpp"  // IWYU pragma: export
// clang-format on
