#pragma once

#include <erl_nif.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "../base/config.hpp"

// Objects that Elixir's side of Upcall holds and calls, also after the library that made them has
// been replaced by a newer build: the newer one takes them over, and what is called is the old
// one's code, which stays in memory.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What every build knows of such an object. The order of these functions is part of the resource
/// types' names: a change of it needs a new number there.
class shared_object {
 public:
  shared_object() = default;
  shared_object(const shared_object&) = delete;
  shared_object& operator=(const shared_object&) = delete;

  /// Destroys it, in its place. Threads: any.
  virtual void destroy() noexcept = 0;
  /// A process that it monitors has died. Threads: any of the VM's.
  virtual void process_died(ErlNifEnv* env, const ErlNifPid& pid) noexcept = 0;
  /// Answers what an executor or `Upcall.Monitor` tells it. Threads: normal schedulers.
  virtual ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM word, ERL_NIF_TERM content) noexcept = 0;

 protected:
  ~shared_object() = default;
};

/// A resource type whose objects a newer build takes over.
class shared_type {
 public:
  explicit constexpr shared_type(const char* name) noexcept : m_name(name) {}

  [[nodiscard]] ErlNifResourceType* type() const noexcept { return m_type; }

  bool open(ErlNifEnv* env) noexcept {
    ErlNifResourceTypeInit callbacks{};
    callbacks.dtor = [](ErlNifEnv*, void* object) {
      static_cast<shared_object*>(object)->destroy();
    };
    callbacks.down = [](ErlNifEnv* caller, void* object, ErlNifPid* pid, ErlNifMonitor*) {
      static_cast<shared_object*>(object)->process_died(caller, *pid);
    };
    const auto flags = static_cast<ErlNifResourceFlags>(ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER);
    m_type = enif_open_resource_type_x(env, m_name, &callbacks, flags, nullptr);
    return m_type != nullptr;
  }

 private:
  const char* m_name;
  ErlNifResourceType* m_type = nullptr;
};

inline constinit shared_type monitoring_objects{"upcall monitoring 2"};

/// Holds a shared object. Threads: any may copy and destroy it.
template <class T>
class shared_ref {
 public:
  shared_ref() = default;
  /// Makes the object. Throws: what its constructor throws.
  template <class... Args>
  static shared_ref make(const shared_type& type, Args&&... args) {
    void* const place = enif_alloc_resource(type.type(), sizeof(T));
    // Before anything can throw: the destructor of the resource is not to meet bare memory.
    static_assert(std::is_nothrow_constructible_v<T, Args...>);
    return shared_ref(std::construct_at(static_cast<T*>(place), std::forward<Args>(args)...));
  }
  /// Takes one more share in an object.
  static shared_ref share(T& object) noexcept {
    enif_keep_resource(&object);
    return shared_ref(&object);
  }

  shared_ref(const shared_ref& other) noexcept : m_object(other.m_object) {
    if (m_object != nullptr) enif_keep_resource(m_object);
  }
  shared_ref(shared_ref&& other) noexcept : m_object(std::exchange(other.m_object, nullptr)) {}
  shared_ref& operator=(shared_ref other) noexcept {
    std::swap(m_object, other.m_object);
    return *this;
  }
  ~shared_ref() {
    if (m_object != nullptr) enif_release_resource(m_object);
  }

  explicit operator bool() const noexcept { return m_object != nullptr; }
  T* get() const noexcept { return m_object; }
  T& operator*() const noexcept { return *m_object; }
  T* operator->() const noexcept { return m_object; }
  /// Makes the reference that Elixir holds.
  [[nodiscard]] ERL_NIF_TERM term(ErlNifEnv* env) const noexcept {
    return enif_make_resource(env, m_object);
  }

 private:
  explicit shared_ref(T* owned) noexcept : m_object(owned) {}
  T* m_object = nullptr;
};

/// Keeps the type alive when the module is purged: native threads may still make objects.
class type_keeper final : public shared_object {
 public:
  void destroy() noexcept override {}
  void process_died(ErlNifEnv*, const ErlNifPid&) noexcept override {}
  ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM, ERL_NIF_TERM) noexcept override {
    return enif_make_badarg(env);
  }
};

inline bool open_shared_types(ErlNifEnv* env) noexcept {
  static constinit type_keeper* keeper = nullptr;  // never released
  if (!monitoring_objects.open(env)) return false;
  if (keeper == nullptr) {
    keeper = std::construct_at(static_cast<type_keeper*>(
        enif_alloc_resource(monitoring_objects.type(), sizeof(type_keeper))));
  }
  return true;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
