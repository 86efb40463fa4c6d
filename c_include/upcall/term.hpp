#pragma once

#include <erl_nif.h>

#include <memory>
#include <utility>

#include "detail/base/config.hpp"
#include "detail/call/native_call.hpp"
#include "owned_env.hpp"

namespace upcall UPCALL_HIDDEN {

class term;

namespace detail {

ErlNifEnv* current_env();
[[noreturn]] void throw_stale_term(step_mark borrowed);
[[noreturn]] void throw_no_term(const char* purpose);

}  // namespace detail

/// Decodes `raw`, a term of `env`, as a `T`.
/// Threads: those of `env`. Throws: `bad_term`; `error` when nested too deeply.
template <class T>
T decode(ErlNifEnv* env, ERL_NIF_TERM raw);

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

// What these throw. Last: it needs them.
#include "error.hpp"  // IWYU pragma: export
