#pragma once

#include <erl_nif.h>

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
  static bool open_all(ErlNifEnv* env, const std::string& build);

 private:
  const char* m_name;
  ErlNifResourceDtor* m_destructor;
  ErlNifResourceType* m_type = nullptr;
};

std::string readable_name(const std::type_info& type);

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

#if defined(UPCALL_HEADER_ONLY)
#include "resource_type.ipp"  // IWYU pragma: export
#endif
