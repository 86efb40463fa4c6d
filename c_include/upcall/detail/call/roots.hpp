#pragma once

#include <erl_nif.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "../base/config.hpp"
#include "../fiber/fiber_host.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class native_call;

/// Which native call, and where. It may be gone, so it is not touched before it is known to be
/// there.
struct call_place {
  std::uint64_t number = 0;
  const stack_seat* on = nullptr;  ///< null for a body without a stack of its own
  std::size_t stack_size = 0;

  /// Gives the call when the calling code is its own. A look at the stack is cheaper than asking
  /// the thread: that is a function call for a library that was loaded at run time.
  [[nodiscard]] UPCALL_ALWAYS_INLINE native_call* here() const noexcept;
};

/// One term that Elixir keeps alive for a native call, for the handles that share it.
class root {
 public:
  root(const call_place& of, std::uint32_t index) noexcept : m_place(of), m_index(index) {}

  /// Gives where its call is; of a pinned call, no place.
  [[nodiscard]] const call_place& place() const noexcept { return m_place; }
  /// Gives its call, where the calling code may use the root; null elsewhere.
  [[nodiscard]] native_call* call_here() const noexcept;
  [[nodiscard]] std::uint32_t index() const noexcept { return m_index; }

  void share() noexcept { m_handles.fetch_add(1, std::memory_order_relaxed); }
  /// Whether there is more than one handle. Others may come and go, unless the only one is ours.
  [[nodiscard]] bool is_shared() const noexcept {
    return m_handles.load(std::memory_order_acquire) > 1;
  }
  /// True for the last handle.
  bool leave() noexcept { return m_handles.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  root* next = nullptr;  ///< of the list of `roots` that it is in, once it has no handle
  std::shared_ptr<native_call> owner{};  ///< of a pinned call: that, which any thread may ask

 private:
  call_place m_place;
  std::atomic<std::uint32_t> m_handles{1};
  std::uint32_t m_index;
};

/// The terms that Elixir keeps alive for a frame: a map from index to term, which travels with
/// every step. Native code names a term by its index, so nothing is copied. Threads: the frame's
/// own.
class roots {
 public:
  roots() = default;
  roots(const roots&) = delete;
  roots& operator=(const roots&) = delete;
  ~roots() {
    while (m_dead != nullptr) delete_first(m_dead);
    while (m_free != nullptr) delete_first(m_free);
  }

  /// Takes what a resume brought. False when it can't be what the frame handed out.
  bool begin_step(ErlNifEnv* env, ERL_NIF_TERM map) noexcept {
    m_changed = false;
    // The same word is the same map: no collection has moved it.
    return map == m_map || take_moved(env, map);
  }

  /// Adds a term of that frame and gives it with one handle.
  root* add(ErlNifEnv* env, ERL_NIF_TERM added, const call_place& frame) {
    root* made = nullptr;
    if (m_dead != nullptr) {
      // Still in the map: it is overwritten.
      made = take_first(m_dead);
    } else {
      made = m_free != nullptr ? take_first(m_free)
                               : std::make_unique<root>(frame, m_next++).release();
      ++m_size;
    }
    if (m_map == 0 && made->index() < m_first.size()) {
      m_first[made->index()] = added;
      m_first_count = std::max(m_first_count, made->index() + 1);
    } else {
      if (m_map == 0) m_map = make_map(env);
      enif_make_map_put(env, m_map, enif_make_uint(env, made->index()), added, &m_map);
    }
    m_changed = true;
    return made;
  }

  /// Lets the term go at the next suspension; it has no handle any more.
  void drop(root* dead) noexcept { dead->next = std::exchange(m_dead, dead); }

  /// Gives the term, or 0 when the map that a resume brought has none there.
  [[nodiscard]] ERL_NIF_TERM at(ErlNifEnv* env, std::uint32_t index) const noexcept {
    if (m_map == 0) return index < m_first_count ? m_first[index] : 0;
    ERL_NIF_TERM found = 0;
    return enif_get_map_value(env, m_map, enif_make_uint(env, index), &found) ? found : 0;
  }

  /// Takes the dead terms out and says whether the map differs from what Elixir has.
  bool end_step(ErlNifEnv* env) noexcept {
    if (m_map == 0) m_map = make_map(env);
    if (m_dead != nullptr) remove_dead(env);
    return m_changed;
  }

  /// Gives the map, once a step has ended.
  [[nodiscard]] ERL_NIF_TERM map() const noexcept { return m_map; }

 private:
  UPCALL_NOINLINE bool take_moved(ErlNifEnv* env, ERL_NIF_TERM map) noexcept;

  ERL_NIF_TERM make_map(ErlNifEnv* env) noexcept;

  UPCALL_COLD void remove_dead(ErlNifEnv* env) noexcept;

  static root* take_first(root*& list) noexcept;
  static void delete_first(root*& list) noexcept {
    const std::unique_ptr<root> first(std::exchange(list, list->next));
  }

  // A call that is never suspended needs no map: its first roots wait for that here.
  static constexpr std::size_t most_first = 4;
  std::array<ERL_NIF_TERM, most_first> m_first{};
  std::uint32_t m_first_count = 0;
  ERL_NIF_TERM m_map = 0;
  std::size_t m_size = 0;  // of the map, the dead included
  bool m_changed = false;
  std::uint32_t m_next = 0;
  root* m_dead = nullptr;  // without a handle, but still in the map
  root* m_free = nullptr;  // indices that are not in the map
};

/// Gives up a root without a handle: to its call, where the calling code may tell it. A frame can
/// be told in a step of its own alone; elsewhere the term lives as long as the frame.
void release_root(root* last) noexcept;

/// A counted handle to a root. Threads: any may copy and destroy it.
class root_handle {
 public:
  root_handle() = default;
  explicit root_handle(root* added) noexcept : m_root(added) {}
  root_handle(const root_handle& other) noexcept : m_root(other.m_root) {
    if (m_root != nullptr) m_root->share();
  }
  root_handle(root_handle&& other) noexcept : m_root(std::exchange(other.m_root, nullptr)) {}
  root_handle& operator=(root_handle other) noexcept {
    std::swap(m_root, other.m_root);
    return *this;
  }
  ~root_handle() {
    if (m_root != nullptr && m_root->leave()) release_root(m_root);
  }

  explicit operator bool() const noexcept { return m_root != nullptr; }
  const root* operator->() const noexcept { return m_root; }
  [[nodiscard]] const root* get() const noexcept { return m_root; }

 private:
  root* m_root = nullptr;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "roots.ipp"  // IWYU pragma: export
#endif
