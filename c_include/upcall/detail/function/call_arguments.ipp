#pragma once

#include <erl_nif.h>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../../executor.hpp"
#include "../../kept_function.hpp"
#include "call_arguments.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME executor executor_argument(const sending_env& to, ERL_NIF_TERM raw) {
  try {
    return codec<executor>::decode(to.get(), raw);
  } catch (const bad_term& failure) {
    throw_bad_argument("pid_or_name", failure.what(), raw);
  }
}

UPCALL_RUNTIME void check_proper_list(ErlNifEnv* env, ERL_NIF_TERM raw) {
  unsigned length = 0;
  if (raw == 0 || !enif_get_list_length(env, raw, &length))
    throw_bad_argument("params", "a proper list", raw);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
