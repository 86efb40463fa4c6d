#pragma once

#include <cxxabi.h>
#include <erl_nif.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <typeinfo>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A resource type of this library, opened when it is loaded. In a list of all.
class resource_type {
 public:
  resource_type(const char* name, ErlNifResourceDtor* destructor) noexcept
      : m_name(name), m_destructor(destructor), m_next(s_first) {
    s_first = this;
  }
  resource_type(const resource_type&) = delete;
  resource_type& operator=(const resource_type&) = delete;

  [[nodiscard]] ErlNifResourceType* type() const noexcept { return m_type; }

  /// Opens all types. `build` tells one loaded build from the next: a type that a newer build took
  /// over would be destroyed by code that knows another layout.
  static bool open_all(ErlNifEnv* env, const std::string& build) {
    std::size_t number = 0;
    for (resource_type* each = s_first; each != nullptr; each = each->m_next) {
      // It becomes an atom, of 255 characters at most: what tells it apart comes first.
      std::string name = "upcall " + build + "." + std::to_string(++number) + " " + each->m_name;
      name.resize(std::min<std::size_t>(name.size(), 255));
      each->m_type = enif_open_resource_type(env, nullptr, name.c_str(), each->m_destructor,
                                             ERL_NIF_RT_CREATE, nullptr);
      if (each->m_type == nullptr) return false;
    }
    return true;
  }

 private:
  static inline constinit resource_type* s_first = nullptr;

  const char* m_name;
  ErlNifResourceDtor* m_destructor;
  resource_type* m_next;
  ErlNifResourceType* m_type = nullptr;
};

inline std::string readable_name(const std::type_info& type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = readable != nullptr ? readable : type.name();
  std::free(readable);  // NOLINT(*-no-malloc): the ABI's contract
  return name;
}

void destroy_frame_handle(ErlNifEnv* env, void* object) noexcept;
inline resource_type frame_handle_type{
    "frame", [](ErlNifEnv* env, void* object) { destroy_frame_handle(env, object); }};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
