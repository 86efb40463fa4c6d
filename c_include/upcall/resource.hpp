#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "codec.hpp"
#include "detail/term/resource_type.hpp"

namespace upcall UPCALL_HIDDEN {

/// Shares a native object with Elixir, where it is an opaque reference. The object is destroyed
/// when neither C++ nor Elixir holds it any more, by a normal scheduler, whoever held it last: its
/// destructor may not throw, block for long or wait for an upcall. It can tell Elixir something by
/// a `cast`:
///
///     struct watch {
///       ~watch() { closed.cast(path); }
///       upcall::executor_function<void(std::string)> closed;
///       std::string path;
///     };
///
/// Threads: any may hold one; whether several may use `T` at once is `T`'s business: see
/// `exclusive`.
template <class T>
class resource {
 public:
  /// Makes the object. Throws: what its constructor throws.
  template <class... Args>
  static resource make(Args&&... args) {
    // Storage first, object second: a constructor that throws leaves an empty shell behind.
    auto* place = static_cast<storage*>(enif_alloc_resource(s_type.type(), sizeof(storage)));
    std::construct_at(place);
    resource made(place);
    if constexpr (std::is_constructible_v<T, Args...>) {
      std::construct_at(place->object(), std::forward<Args>(args)...);
    } else {  // an aggregate, for compilers without its initialisation by parentheses
      ::new (static_cast<void*>(place->object())) T{std::forward<Args>(args)...};
    }
    place->made = true;
    return made;
  }

  resource(const resource& other) noexcept : m_storage(other.m_storage) {
    if (m_storage != nullptr) enif_keep_resource(m_storage);
  }
  resource(resource&& other) noexcept : m_storage(std::exchange(other.m_storage, nullptr)) {}
  resource& operator=(resource other) noexcept {
    std::swap(m_storage, other.m_storage);
    return *this;
  }
  ~resource() {
    if (m_storage != nullptr) enif_release_resource(m_storage);
  }

  /// Gives the object; as with any smart pointer, not of one that was moved from.
  T& operator*() const noexcept { return *m_storage->object(); }
  T* operator->() const noexcept { return m_storage->object(); }
  [[nodiscard]] T* get() const noexcept { return m_storage->object(); }

 private:
  friend struct codec<resource>;

  struct storage {
    storage() noexcept {}  // NOLINT(*-use-equals-default): the bytes stay as they are
    T* object() noexcept {
      const auto start = reinterpret_cast<std::uintptr_t>(bytes);
      return reinterpret_cast<T*>(bytes + (-start & (alignof(T) - 1)));
    }
    bool made = false;
    // The VM aligns a resource to its words only: the rest is up to us.
    static constexpr std::size_t aligned = std::min(alignof(T), sizeof(void*));
    alignas(aligned) std::byte bytes[sizeof(T) + alignof(T) - aligned];
  };
  explicit resource(storage* owned) noexcept : m_storage(owned) {}

  static void destroy(ErlNifEnv*, void* object) noexcept {
    auto* const place = static_cast<storage*>(object);
    if (place->made) std::destroy_at(place->object());
  }

  static inline detail::resource_type s_type{typeid(T).name(),
                                             &detail::run_destructor<&resource::destroy>};

  storage* m_storage;
};

/// Makes a `T` to share with Elixir. Threads: any. Throws: what its constructor throws.
template <class T, class... Args>
resource<T> make_resource(Args&&... args) {
  return resource<T>::make(std::forward<Args>(args)...);
}

template <class T>
struct codec<resource<T>> {
  using own = resource<T>;
  /// Takes a reference that Elixir holds. Throws: `bad_term` for one of another type, or of an
  /// earlier build of the library.
  static resource<T> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    void* object = nullptr;
    if (!enif_get_resource(env, raw, resource<T>::s_type.type(), &object))
      throw bad_term("a reference to a native " + detail::readable_name(typeid(T)), raw);
    enif_keep_resource(object);
    return resource<T>(static_cast<typename resource<T>::storage*>(object));
  }
  /// Gives Elixir a reference. Throws: `error` when it was moved from.
  static ERL_NIF_TERM encode(ErlNifEnv* env, const resource<T>& value) {
    if (value.m_storage == nullptr)
      raise("Elixir.RuntimeError", "this upcall::resource was moved from, and refers to no object");
    return enif_make_resource(env, value.m_storage);
  }
};

}  // namespace UPCALL_HIDDEN
