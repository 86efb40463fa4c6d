#pragma once

// The parts of Upcall that need no Boost, in reading order: a library that includes this one, in
// the place of <upcall.hpp>, has NIFs that are coroutines (upcall::task).
// clang-format off
#include "term.hpp"               // IWYU pragma: export
#include "error.hpp"              // IWYU pragma: export
#include "innermost_error.hpp"    // IWYU pragma: export
#include "atom.hpp"               // IWYU pragma: export
#include "codec.hpp"              // IWYU pragma: export
#include "result.hpp"             // IWYU pragma: export
#include "task.hpp"               // IWYU pragma: export
#include "async_function.hpp"     // IWYU pragma: export
#include "generator.hpp"          // IWYU pragma: export
#include "sequence.hpp"           // IWYU pragma: export
#include "kept_function.hpp"      // IWYU pragma: export
#include "resource.hpp"           // IWYU pragma: export
#include "nif.hpp"                // IWYU pragma: export
#include "native_call.hpp"        // IWYU pragma: export
#include "exclusive.hpp"          // IWYU pragma: export
#include "executor.hpp"           // IWYU pragma: export
#include "apply.hpp"              // IWYU pragma: export
#include "future.hpp"             // IWYU pragma: export
#include "executor_function.hpp"  // IWYU pragma: export
// clang-format on
