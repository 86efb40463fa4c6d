#pragma once

#include <erl_nif.h>

#include "../../atom.hpp"
#include "../../owned_env.hpp"
#include "atom_text.hpp"
#include "config.hpp"

namespace upcall UPCALL_HIDDEN {

UPCALL_RUNTIME static_atom::static_atom(const char* name) noexcept : m_name(name) {
  if (s_loaded) {  // a static of a function, made when that is first called
    const owned_env env;
    m_raw = detail::make_atom(env.get(), name);
  } else {
    enter();
  }
}

UPCALL_RUNTIME void static_atom::load_all(ErlNifEnv* env) noexcept {
  s_loaded = true;
  for (static_atom* each = first(); each != nullptr; each = each->next()) {
    each->m_raw = detail::make_atom(env, each->m_name);
  }
}

namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM field_of(ERL_NIF_TERM map, const static_atom& key) noexcept {
  ERL_NIF_TERM value = 0;
  return enif_get_map_value(detail::env_for_words(), map, key.raw(), &value) ? value : 0;
}

}  // namespace detail

namespace detail::atoms {

UPCALL_RUNTIME static_atom true_{"true"};
UPCALL_RUNTIME static_atom false_{"false"};
UPCALL_RUNTIME static_atom nil{"nil"};
UPCALL_RUNTIME static_atom ok{"ok"};
UPCALL_RUNTIME static_atom error{"error"};
UPCALL_RUNTIME static_atom exit{"exit"};
UPCALL_RUNTIME static_atom throw_{"throw"};
UPCALL_RUNTIME static_atom struct_{"__struct__"};
UPCALL_RUNTIME static_atom exception{"__exception__"};
UPCALL_RUNTIME static_atom exception_word{"exception"};
UPCALL_RUNTIME static_atom message{"message"};
UPCALL_RUNTIME static_atom key{"key"};
UPCALL_RUNTIME static_atom key_error{"Elixir.KeyError"};
UPCALL_RUNTIME static_atom erlang_error{"Elixir.ErlangError"};
UPCALL_RUNTIME static_atom original{"original"};
UPCALL_RUNTIME static_atom normal{"normal"};
UPCALL_RUNTIME static_atom shutdown{"shutdown"};
UPCALL_RUNTIME static_atom killed{"killed"};
UPCALL_RUNTIME static_atom system_limit{"system_limit"};
UPCALL_RUNTIME static_atom told{"upcall_told"};
UPCALL_RUNTIME static_atom upcall{"upcall"};
UPCALL_RUNTIME static_atom update{"update"};
UPCALL_RUNTIME static_atom return_{"return"};
UPCALL_RUNTIME static_atom raise{"raise"};
UPCALL_RUNTIME static_atom raise_exception{"raise_exception"};
UPCALL_RUNTIME static_atom bad_term{"bad_term"};
UPCALL_RUNTIME static_atom bad_return{"bad_return"};
UPCALL_RUNTIME static_atom apply{"apply"};
UPCALL_RUNTIME static_atom mfa{"mfa"};
UPCALL_RUNTIME static_atom yield{"yield"};
UPCALL_RUNTIME static_atom wait{"wait"};
UPCALL_RUNTIME static_atom generate{"generate"};
UPCALL_RUNTIME static_atom chunk{"chunk"};
UPCALL_RUNTIME static_atom halt{"halt"};
UPCALL_RUNTIME static_atom ended{"ended"};
UPCALL_RUNTIME static_atom pinned{"pinned"};
UPCALL_RUNTIME static_atom root{"root"};
UPCALL_RUNTIME static_atom keep{"keep"};
UPCALL_RUNTIME static_atom raise_kept{"raise_kept"};
UPCALL_RUNTIME static_atom banner{"banner"};
UPCALL_RUNTIME static_atom upcall_turn{"upcall_turn"};
UPCALL_RUNTIME static_atom waiting{"waiting"};
UPCALL_RUNTIME static_atom granted{"granted"};
UPCALL_RUNTIME static_atom withdrawn{"withdrawn"};
UPCALL_RUNTIME static_atom monitor_name{"Elixir.Upcall.Monitor"};
UPCALL_RUNTIME static_atom enum_{"Elixir.Enum"};
UPCALL_RUNTIME static_atom map{"map"};
UPCALL_RUNTIME static_atom watch{"watch"};
UPCALL_RUNTIME static_atom down{"down"};
UPCALL_RUNTIME static_atom unknown{"unknown"};
UPCALL_RUNTIME static_atom take{"take"};
UPCALL_RUNTIME static_atom none{"none"};
UPCALL_RUNTIME static_atom look{"look"};
UPCALL_RUNTIME static_atom returned{"returned"};
UPCALL_RUNTIME static_atom raised{"raised"};
UPCALL_RUNTIME static_atom lost{"lost"};
UPCALL_RUNTIME static_atom workers{"workers"};
UPCALL_RUNTIME static_atom dropped{"dropped"};
UPCALL_RUNTIME static_atom unheard{"unheard"};
UPCALL_RUNTIME static_atom functions{"functions"};
UPCALL_RUNTIME static_atom text{"text"};
UPCALL_RUNTIME static_atom timeout{"timeout"};
UPCALL_RUNTIME static_atom infinity{"infinity"};
UPCALL_RUNTIME static_atom noproc{"noproc"};
UPCALL_RUNTIME static_atom calling_self{"calling_self"};
UPCALL_RUNTIME static_atom overloaded{"overloaded"};

}  // namespace detail::atoms

}  // namespace UPCALL_HIDDEN
