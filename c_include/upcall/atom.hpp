#pragma once

#include <erl_nif.h>

#include <string>

#include "detail/base/atom_text.hpp"
#include "detail/base/config.hpp"
#include "detail/base/registered.hpp"

namespace upcall UPCALL_HIDDEN {

/// Names an atom that the C++ source knows. Has static storage; the atom is made when the library
/// is loaded, never while a NIF runs, and none is ever made from input.
///
///     static const upcall::static_atom ok{"ok"};
///
/// Its name is UTF-8; bytes that are not are taken for Latin-1.
///
/// Threads: any, once the library is loaded.
class static_atom : public detail::registered<static_atom> {
 public:
  explicit static_atom(const char* name) noexcept;

  /// Gives the atom. Threads: any, once the library is loaded.
  [[nodiscard]] ERL_NIF_TERM raw() const noexcept { return m_raw; }
  /// Gives its text, as written.
  [[nodiscard]] const char* name() const noexcept { return m_name; }

  /// Makes the atoms of all that there are; `upcall::load` calls it.
  static void load_all(ErlNifEnv* env) noexcept;

 private:
  static inline constinit bool s_loaded = false;

  const char* m_name;
  mutable ERL_NIF_TERM m_raw = 0;  // set when the library is loaded, of const ones too
};

/// Holds any atom that came from Elixir. Atoms never move: it is valid for ever.
/// Threads: any.
class atom {
 public:
  explicit atom(ERL_NIF_TERM raw) noexcept : m_raw(raw) {}
  explicit(false) atom(const static_atom& known) noexcept : m_raw(known.raw()) {}

  /// Gives what the `enif_` functions take.
  [[nodiscard]] ERL_NIF_TERM raw() const noexcept { return m_raw; }
  friend bool operator==(const atom&, const atom&) noexcept = default;

  /// Gives its text, in UTF-8.
  [[nodiscard]] std::string name(ErlNifEnv* env) const { return detail::name_of_atom(env, m_raw); }

 private:
  ERL_NIF_TERM m_raw;
};

namespace detail {

/// Gives the value of a key of a map, or 0.
ERL_NIF_TERM field_of(ERL_NIF_TERM map, const static_atom& key) noexcept;

}  // namespace detail

// The words that Upcall itself says to Elixir, and hears from there.
namespace detail::atoms {

extern static_atom true_, false_, nil, ok, error, exit, throw_, struct_, exception, exception_word,
    message, key, key_error, erlang_error, original, normal, shutdown, killed, system_limit;
// Of a codec that has raised, once that was told: see detail/codec_error.hpp.
extern static_atom told;
// The words of the trampoline: see lib/upcall/native/nif.ex.
extern static_atom upcall, update, return_, raise, raise_exception, bad_term, bad_return, apply,
    mfa, yield, wait, generate, chunk, halt, ended, pinned, root, keep, raise_kept, banner,
    upcall_turn, waiting, granted, withdrawn;
// The words of executors: see lib/upcall/executor/executor.ex.
extern static_atom monitor_name, enum_, map, watch, down, unknown, take, none, look, returned,
    raised, lost, workers, dropped, unheard, functions, text, timeout, infinity, noproc,
    calling_self, overloaded;

}  // namespace detail::atoms

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "detail/base/atom.ipp"  // IWYU pragma: export
#endif
