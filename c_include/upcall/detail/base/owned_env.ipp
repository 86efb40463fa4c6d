#pragma once

#include <erl_nif.h>

#include <cstring>
#include <string_view>

#include "../../owned_env.hpp"
#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM make_text(ErlNifEnv* env, std::string_view text) noexcept {
  ERL_NIF_TERM binary = 0;
  unsigned char* bytes = enif_make_new_binary(env, text.size(), &binary);
  if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
  return binary;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
