#pragma once

#include <erl_nif.h>

#include <memory>
#include <utility>

#include "../../atom.hpp"
#include "../../term.hpp"
#include "../base/config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Makes the message that a process waits for in a `receive`, by the reference that it has made for
/// that.
inline owned_term turn_message(ERL_NIF_TERM reference) {
  auto env = std::make_shared<owned_env>();
  const ERL_NIF_TERM message =
      enif_make_tuple2(env->get(), atoms::upcall_turn.raw(), env->copy(reference));
  return {std::move(env), message};
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
