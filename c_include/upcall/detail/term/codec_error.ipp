#pragma once

#include <erl_nif.h>

#include <typeinfo>

#include "../../atom.hpp"
#include "../base/config.hpp"
#include "codec_error.hpp"
#include "resource_type.hpp"
#include "term_text.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void throw_raised_in_vm(ErlNifEnv* env, ERL_NIF_TERM reason,
                                       const std::type_info& type) {
  const codec_error failure("the codec of " + readable_name(type) + " raised " + printed(reason) +
                            " in the VM (enif_make_badarg, enif_raise_exception); it has to throw "
                            "an exception of C++, such as upcall::bad_term");
  ErlNifPid self;
  const bool is_of_nif = enif_self(env, &self) != nullptr;
  enif_raise_exception(env, is_of_nif ? failure.exception(env) : atoms::told.raw());
  throw failure;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
