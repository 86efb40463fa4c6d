#pragma once

// The parts, in reading order.
#include "upcall/atom.hpp"   // IWYU pragma: export
#include "upcall/codec.hpp"  // IWYU pragma: export
#include "upcall/detail/finisher.hpp"
#include "upcall/error.hpp"     // IWYU pragma: export
#include "upcall/function.hpp"  // IWYU pragma: export
#include "upcall/nif.hpp"       // IWYU pragma: export
#include "upcall/resource.hpp"  // IWYU pragma: export
#include "upcall/term.hpp"      // IWYU pragma: export
