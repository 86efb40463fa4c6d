#pragma once

#include <erl_nif.h>

#include "../../error.hpp"
#include "../base/atom_text.hpp"
#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../pinned/pinned_call.hpp"
#include "call.hpp"
#include "function_root.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM arguments_of_make_fun(ErlNifEnv* env, const char* module,
                                                  const char* function, int arity) {
  detail::check_name(module, "a module");
  detail::check_name(function, "a function");
  return enif_make_list3(env, detail::make_atom(env, module), detail::make_atom(env, function),
                         enif_make_int(env, arity));
}

UPCALL_RUNTIME function_root capture(const char* module, const char* function, int arity) {
  const named_answer found = call_or_throw().call_named("erlang", "make_fun", [&](ErlNifEnv* env) {
    return detail::arguments_of_make_fun(env, module, function, arity);
  });
  return function_root::add(found.env, found.value);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
