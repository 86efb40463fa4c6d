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

namespace detail::atoms {

inline static_atom true_{"true"};
inline static_atom false_{"false"};
inline static_atom nil{"nil"};
inline static_atom ok{"ok"};
inline static_atom error{"error"};
inline static_atom exit{"exit"};
inline static_atom throw_{"throw"};
inline static_atom struct_{"__struct__"};
inline static_atom exception{"__exception__"};
inline static_atom exception_word{"exception"};
inline static_atom message{"message"};
inline static_atom key{"key"};
inline static_atom key_error{"Elixir.KeyError"};
inline static_atom erlang_error{"Elixir.ErlangError"};
inline static_atom original{"original"};
inline static_atom normal{"normal"};
inline static_atom shutdown{"shutdown"};
inline static_atom killed{"killed"};
inline static_atom system_limit{"system_limit"};
// Of a codec that has raised, once that was told: see detail/codec_error.hpp.
inline static_atom told{"upcall_told"};
// The words of the trampoline: see lib/upcall/native/nif.ex.
inline static_atom upcall{"upcall"};
inline static_atom update{"update"};
inline static_atom return_{"return"};
inline static_atom raise{"raise"};
inline static_atom raise_exception{"raise_exception"};
inline static_atom bad_term{"bad_term"};
inline static_atom bad_return{"bad_return"};
inline static_atom apply{"apply"};
inline static_atom mfa{"mfa"};
inline static_atom yield{"yield"};
inline static_atom wait{"wait"};
inline static_atom generate{"generate"};
inline static_atom chunk{"chunk"};
inline static_atom halt{"halt"};
inline static_atom ended{"ended"};
inline static_atom pinned{"pinned"};
inline static_atom root{"root"};
inline static_atom keep{"keep"};
inline static_atom raise_kept{"raise_kept"};
inline static_atom banner{"banner"};
inline static_atom upcall_turn{"upcall_turn"};
inline static_atom waiting{"waiting"};
inline static_atom granted{"granted"};
inline static_atom withdrawn{"withdrawn"};
// The words of executors: see lib/upcall/executor/executor.ex.
inline static_atom monitor_name{"Elixir.Upcall.Monitor"};
inline static_atom enum_{"Elixir.Enum"};
inline static_atom map{"map"};
inline static_atom watch{"watch"};
inline static_atom down{"down"};
inline static_atom unknown{"unknown"};
inline static_atom take{"take"};
inline static_atom none{"none"};
inline static_atom look{"look"};
inline static_atom returned{"returned"};
inline static_atom raised{"raised"};
inline static_atom lost{"lost"};
inline static_atom workers{"workers"};
inline static_atom dropped{"dropped"};
inline static_atom unheard{"unheard"};
inline static_atom functions{"functions"};
inline static_atom text{"text"};
inline static_atom timeout{"timeout"};
inline static_atom infinity{"infinity"};
inline static_atom noproc{"noproc"};
inline static_atom calling_self{"calling_self"};
inline static_atom overloaded{"overloaded"};

}  // namespace detail::atoms

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "detail/base/atom.ipp"  // IWYU pragma: export
#endif
