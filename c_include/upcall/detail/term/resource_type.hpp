#pragma once

#include <cxxabi.h>
#include <erl_nif.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <typeinfo>
#include <utility>

#include "../base/config.hpp"
#include "../base/registered.hpp"
#include "../call/this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A resource type of this library, opened when it is loaded.
class resource_type : public registered<resource_type> {
 public:
  resource_type(const char* name, ErlNifResourceDtor* destructor) noexcept
      : m_name(name), m_destructor(destructor) {
    enter();
  }

  [[nodiscard]] ErlNifResourceType* type() const noexcept { return m_type; }

  /// Opens all types. `build` tells one loaded build from the next: a type that a newer build took
  /// over would be destroyed by code that knows another layout.
  static bool open_all(ErlNifEnv* env, const std::string& build) {
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

 private:
  const char* m_name;
  ErlNifResourceDtor* m_destructor;
  ErlNifResourceType* m_type = nullptr;
};

inline std::string readable_name(const std::type_info& type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = readable != nullptr ? readable : type.name();
  std::free(readable);  // NOLINT(*-no-malloc): the ABI's contract
  return name;
}

/// Says for its lifetime that the calling thread runs the destructor of a resource, and with which
/// environment: from there a call of an executor is sent.
class destructor_scope {
 public:
  explicit destructor_scope(ErlNifEnv* env) noexcept
      : m_before(std::exchange(this_thread_calls().destructor_env, env)) {}
  destructor_scope(const destructor_scope&) = delete;
  destructor_scope& operator=(const destructor_scope&) = delete;
  ~destructor_scope() { this_thread_calls().destructor_env = m_before; }

 private:
  ErlNifEnv* m_before;
};

/// What the VM calls to destroy a resource. Threads: the VM runs it as work of its own on a normal
/// scheduler, whoever let go of the resource: no NIF is under way there.
template <void (*Destroy)(ErlNifEnv*, void*) noexcept>
void run_destructor(ErlNifEnv* env, void* object) noexcept {
  const destructor_scope scope(env);
  Destroy(env, object);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
