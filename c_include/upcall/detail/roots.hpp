#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The terms that Elixir keeps alive for a frame: a map from index to term, which travels with
/// every step. Native code names a term by its index, so nothing is copied. Threads: the frame's
/// own.
class roots {
 public:
  /// Takes what a resume brought. False when it can't be what the frame handed out.
  bool begin_step(ErlNifEnv* env, ERL_NIF_TERM map) noexcept {
    std::size_t size = 0;
    if (!enif_get_map_size(env, map, &size) || size != m_size) return false;
    m_map = map;
    m_changed = false;
    return true;
  }

  /// Adds a term and gives its index.
  std::uint32_t add(ErlNifEnv* env, ERL_NIF_TERM added) {
    if (m_map == 0) m_map = enif_make_new_map(env);
    // An index whose term is dead but still in the map is the cheapest: it is overwritten.
    const bool overwrites = !m_dead.empty();
    std::uint32_t index = m_next;
    if (overwrites) {
      index = m_dead.back();
      m_dead.pop_back();
    } else if (!m_free.empty()) {
      index = m_free.back();
      m_free.pop_back();
    } else {
      ++m_next;
      // So that `drop` needs no memory: it is called by destructors.
      m_dead.reserve(m_next);
      m_free.reserve(m_next);
    }
    if (!overwrites) ++m_size;
    enif_make_map_put(env, m_map, enif_make_uint(env, index), added, &m_map);
    m_changed = true;
    return index;
  }

  /// Lets the term go at the next suspension.
  void drop(std::uint32_t index) noexcept { m_dead.push_back(index); }

  /// Gives the term, or 0 when the map that a resume brought has none there.
  [[nodiscard]] ERL_NIF_TERM at(ErlNifEnv* env, std::uint32_t index) const noexcept {
    ERL_NIF_TERM found = 0;
    return m_map != 0 && enif_get_map_value(env, m_map, enif_make_uint(env, index), &found) ? found
                                                                                            : 0;
  }

  /// Takes the dead terms out and says whether the map differs from what Elixir has.
  bool end_step(ErlNifEnv* env) noexcept {
    if (!m_dead.empty()) remove_dead(env);
    return m_changed;
  }

  [[nodiscard]] ERL_NIF_TERM map(ErlNifEnv* env) const noexcept {
    return m_map == 0 ? enif_make_new_map(env) : m_map;
  }

 private:
  UPCALL_COLD void remove_dead(ErlNifEnv* env) noexcept {
    for (const std::uint32_t index : m_dead) {
      enif_make_map_remove(env, m_map, enif_make_uint(env, index), &m_map);
      m_free.push_back(index);
      m_changed = true;
      --m_size;
    }
    m_dead.clear();
  }

  ERL_NIF_TERM m_map = 0;
  std::size_t m_size = 0;  // of the map, the dead included
  bool m_changed = false;
  std::uint32_t m_next = 0;
  std::vector<std::uint32_t> m_dead;
  std::vector<std::uint32_t> m_free;
};

/// Names one root of one frame, for the handles that share it.
class root {
 public:
  root(std::uint64_t frame, std::uint32_t index) noexcept : m_frame(frame), m_index(index) {}

  [[nodiscard]] std::uint64_t frame() const noexcept { return m_frame; }
  [[nodiscard]] std::uint32_t index() const noexcept { return m_index; }

  void share() noexcept { m_handles.fetch_add(1, std::memory_order_relaxed); }
  /// True for the last handle.
  bool leave() noexcept { return m_handles.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  std::uint64_t m_frame;
  std::atomic<std::uint32_t> m_handles{1};
  std::uint32_t m_index;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
