#pragma once

#include <erl_nif.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "detail/base/config.hpp"
#include "detail/base/of_this_thread.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

ERL_NIF_TERM make_text(ErlNifEnv* env, std::string_view text) noexcept;

/// Whether a term is a word alone and so valid in every environment: an atom, a small integer, a
/// pid of this node.
inline bool is_word(ERL_NIF_TERM raw) noexcept {
  constexpr ERL_NIF_TERM primary_tag = 3;
  return (raw & primary_tag) == primary_tag;  // the VM's mark of an immediate
}

/// Makes a tuple, for what is made at each upcall: the VM's own functions for that are variadic,
/// and cost more.
template <class... Terms>
ERL_NIF_TERM make_tuple(ErlNifEnv* env, Terms... terms) noexcept {
  const std::array<ERL_NIF_TERM, sizeof...(Terms)> parts{terms...};
  return enif_make_tuple_from_array(env, parts.data(), static_cast<unsigned>(parts.size()));
}

}  // namespace detail

/// Owns an environment in which terms live on their own, away from any process.
/// Threads: any, one at a time; reading what it holds needs no care.
class owned_env {
 public:
  owned_env() : m_env(enif_alloc_env()) {}
  /// Takes the environment of another, which has none then.
  owned_env(owned_env&& other) noexcept : m_env(std::exchange(other.m_env, nullptr)) {}
  owned_env(const owned_env&) = delete;
  owned_env& operator=(const owned_env&) = delete;
  ~owned_env() {
    if (m_env != nullptr) enif_free_env(m_env);
  }

  /// Gives the environment.
  [[nodiscard]] ErlNifEnv* get() const noexcept { return m_env; }

  /// Copies a term of another environment into this one.
  ERL_NIF_TERM copy(ERL_NIF_TERM raw) const noexcept { return enif_make_copy(m_env, raw); }

 private:
  ErlNifEnv* m_env;
};

namespace detail {

/// An environment of one thread's, made when it is first asked for.
class thread_env {
 public:
  constexpr thread_env() noexcept = default;
  thread_env(const thread_env&) = delete;
  thread_env& operator=(const thread_env&) = delete;
  ~thread_env() {
    if (m_env != nullptr) enif_free_env(m_env);
  }
  [[nodiscard]] ErlNifEnv* get() noexcept {
    if (m_env == nullptr) m_env = enif_alloc_env();
    return m_env;
  }

 private:
  ErlNifEnv* m_env = nullptr;
};

/// Gives an environment of the calling thread's, for who reads a term that is a word alone and
/// needs none.
inline ErlNifEnv* env_for_words() { return of_this_thread<thread_env>().get(); }

}  // namespace detail

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "detail/base/owned_env.ipp"  // IWYU pragma: export
#endif
