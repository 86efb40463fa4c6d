#pragma once

#include <cxxabi.h>
#include <erl_nif.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <typeinfo>

#include "../base/config.hpp"
#include "resource_type.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME bool resource_type::open_all(ErlNifEnv* env, const std::string& build) {
  std::size_t number = 0;
  for (resource_type* each = first(); each != nullptr; each = each->next()) {
    // It becomes an atom, of 255 characters at most: what tells it apart comes first.
    std::string name = "upcall " + build + "." + std::to_string(++number) + " " + each->m_name;
    name.resize(std::min<std::size_t>(name.size(), 255));
    each->m_type = enif_open_resource_type(env, nullptr, name.c_str(), each->m_destructor,
                                           ERL_NIF_RT_CREATE, nullptr);
    if (each->m_type == nullptr) return false;
  }
  return true;
}

UPCALL_RUNTIME std::string readable_name(const std::type_info& type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = readable != nullptr ? readable : type.name();
  std::free(readable);  // NOLINT(*-no-malloc): the ABI's contract
  return name;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
