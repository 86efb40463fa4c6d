#pragma once

#include <erl_nif.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "detail/config.hpp"
#include "detail/native_call.hpp"

namespace upcall UPCALL_HIDDEN {

class term;

namespace detail {

ErlNifEnv* current_env();
[[noreturn]] void throw_stale_term(step_mark borrowed);
[[noreturn]] void throw_no_term(const char* purpose);

inline ERL_NIF_TERM make_text(ErlNifEnv* env, std::string_view text) noexcept {
  ERL_NIF_TERM binary = 0;
  unsigned char* bytes = enif_make_new_binary(env, text.size(), &binary);
  if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
  return binary;
}

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

/// Decodes `raw`, a term of `env`, as a `T`.
/// Threads: those of `env`. Throws: `bad_term`; `error` when nested too deeply.
template <class T>
T decode(ErlNifEnv* env, ERL_NIF_TERM raw);

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

/// Holds a copy of a term for as long as it likes. Copies of it share that one.
/// Threads: any.
class owned_term {
 public:
  /// Copies a borrowed term. Throws: `error` when it is stale.
  explicit owned_term(const term& borrowed);

  /// Copies a raw term of any environment. Throws: `error` where it is none (0).
  explicit owned_term(ERL_NIF_TERM raw) : m_env(std::make_shared<owned_env>()) {
    // The VM ends at the copy of what is none.
    if (raw == 0) [[unlikely]]
      detail::throw_no_term("to keep in an upcall::owned_term");
    m_raw = m_env->copy(raw);
  }

  /// Takes a term that lives in `env` already; one that is a word alone may live in none.
  owned_term(std::shared_ptr<owned_env> env, ERL_NIF_TERM raw) noexcept
      : m_env(std::move(env)), m_raw(raw) {}

  // Not moved: one that was moved from would name a term that may be gone.
  owned_term(const owned_term&) noexcept = default;
  owned_term& operator=(const owned_term&) noexcept = default;
  ~owned_term() = default;

  /// Gives the term in an environment of ours: valid while this or a copy of it lives.
  [[nodiscard]] ERL_NIF_TERM raw() const noexcept { return m_raw; }
  /// Gives the environment that it lives in.
  [[nodiscard]] ErlNifEnv* env() const noexcept {
    return m_env != nullptr ? m_env->get() : detail::env_for_words();
  }

  /// Copies the term into `env`.
  [[nodiscard]] ERL_NIF_TERM copy_to(ErlNifEnv* env) const noexcept {
    return enif_make_copy(env, m_raw);
  }

  /// Decodes it. Throws: `bad_term`.
  template <class T>
  [[nodiscard]] T as() const;

 private:
  std::shared_ptr<owned_env> m_env;
  ERL_NIF_TERM m_raw = 0;
};

/// Borrows a term of the calling process. It is valid until the next upcall of its frame, for the
/// process may move its heap then, and it knows: a stale one throws instead of reading freed
/// memory. In a pinned NIF it is a copy that is valid until the call ends, and does not know when
/// it has ended. Threads: the frame's own; that of the pinned body.
class term {
 public:
  /// Wraps a raw term of the step that is running.
  explicit term(ERL_NIF_TERM raw) noexcept : m_raw(raw), m_mark(detail::current_step()) {}

  /// Whether an upcall was made since it was borrowed.
  [[nodiscard]] bool is_stale() const noexcept { return m_mark != detail::current_step(); }

  /// Gives what the `enif_` functions take. Throws: `error` when it is stale.
  [[nodiscard]] ERL_NIF_TERM raw() const {
    if (is_stale()) detail::throw_stale_term(m_mark);
    return m_raw;
  }

  /// Decodes it. Throws: `bad_term`; `error` when it is stale.
  template <class T>
  [[nodiscard]] T as() const {
    const ERL_NIF_TERM valid = raw();
    if (valid == 0) detail::throw_no_term("to decode");
    return upcall::decode<T>(detail::current_env(), valid);
  }

 private:
  ERL_NIF_TERM m_raw;
  detail::step_mark m_mark;
};

inline owned_term::owned_term(const term& borrowed) : owned_term(borrowed.raw()) {}

}  // namespace UPCALL_HIDDEN
