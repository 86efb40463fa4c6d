#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <string>

#include "term_printer.hpp"
#include "term_text.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME std::string printed(ERL_NIF_TERM raw) {
  constexpr std::size_t most = 200;
  if (raw == 0) return "no term (0)";  // which the VM does not survive printing
  return (term_printer(most) << raw).take();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
