#pragma once

#include <erl_nif.h>

#include <iterator>
#include <string_view>

#include "detail/library/library.hpp"
#include "detail/nif/bound_nif.hpp"
#include "detail/pinned/pinned_nif.hpp"  // IWYU pragma: keep: a kind of body
#include "nif_options.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// Takes one function. Of several overloads, or of a template, none is found.
template <class, class Function>
void take_function(Function);

/// Whether what the user wrote names the function of a template with its arguments.
consteval bool has_arguments(std::string_view written) {
  return written.find('<') != std::string_view::npos &&
         written.find("operator") == std::string_view::npos;
}

}  // namespace detail

/// Prepares a library whose `ErlNifFunc` table and `load` callback are written by hand: call it
/// from `load` and `upgrade`, with the options that `Upcall.Nif` passed as load info. Gives 0 or an
/// error for `load` to return. It does not touch `priv_data`.
inline int load(ErlNifEnv* env, ERL_NIF_TERM info) noexcept {
  static_assert(std::size(detail::trampoline_entries) == 8, "UPCALL_ENTRIES is to name each");
  return detail::load_library(env, info, {});
}

}  // namespace UPCALL_HIDDEN

/// Makes the entry of a hand-written `ErlNifFunc` table for a function: `UPCALL_ENTRY("add", add)`.
#define UPCALL_ENTRY(name, function, ...)                                          \
  ::upcall::detail::bound_nif<function, ::upcall::detail::options_of(__VA_ARGS__), \
                              ::upcall::detail::table_name(name)>::entry

/// The entries of Upcall itself, for a hand-written table.
#define UPCALL_ENTRIES                                                                  \
  ::upcall::detail::trampoline_entries[0], ::upcall::detail::trampoline_entries[1],     \
      ::upcall::detail::trampoline_entries[2], ::upcall::detail::trampoline_entries[3], \
      ::upcall::detail::trampoline_entries[4], ::upcall::detail::trampoline_entries[5], \
      ::upcall::detail::trampoline_entries[6], ::upcall::detail::trampoline_entries[7]

/// Makes a C++ function a NIF of another name: `UPCALL_NIF_AS("delete!", &database::remove)`.
#define UPCALL_NIF_AS(name, function, ...)                                                   \
  static_assert(                                                                             \
      []<class Deferred = void>() {                                                          \
        return requires { ::upcall::detail::take_function<Deferred>(function); };            \
      }(),                                                                                   \
      "a NIF is one function: cast one of several overloads to its type, "                   \
      "UPCALL_NIF_AS(\"name\", static_cast<int (*)(int)>(&f)), and give a template "         \
      "its arguments, UPCALL_NIF_AS(\"name\", &f<int>)");                                    \
  static const ::upcall::detail::declared_nif UPCALL_CONCATENATE(upcall_nif_, __COUNTER__) { \
    UPCALL_ENTRY(name, function __VA_OPT__(, ) __VA_ARGS__)                                  \
  }

/// Makes a C++ function a NIF of its own name, without its namespaces. Options may follow:
/// `UPCALL_NIF(solve, upcall::dirty_cpu, upcall::stack_size{1 << 20})`.
#define UPCALL_NIF(function, ...)                                                         \
  static_assert(                                                                          \
      !::upcall::detail::has_arguments(#function),                                        \
      "a NIF that is made of a template needs a name: UPCALL_NIF_AS(\"name\", &f<int>)"); \
  UPCALL_NIF_AS(#function, &function __VA_OPT__(, ) __VA_ARGS__)

/// Registers `void translate(const std::exception_ptr&)`, which rethrows the exception, catches
/// those of your own and throws an `upcall::error` in their place. It is asked before Upcall's own
/// rules.
#define UPCALL_TRANSLATOR(function)                                                               \
  static const ::upcall::detail::translator UPCALL_CONCATENATE(upcall_translator_, __COUNTER__) { \
    &(function)                                                                                   \
  }

/// Makes the library one that `module` ("Elixir.Demo.Native") loads, with all NIFs of all its
/// files.
#define UPCALL_INIT(module)                                                      \
  static int upcall_load(ErlNifEnv* env, void**, ERL_NIF_TERM info) {            \
    return ::upcall::load(env, info);                                            \
  }                                                                              \
  static int upcall_upgrade(ErlNifEnv* env, void**, void**, ERL_NIF_TERM info) { \
    return ::upcall::load(env, info);                                            \
  }                                                                              \
  extern "C" __attribute__((visibility("default"))) ErlNifEntry* nif_init();     \
  extern "C" ErlNifEntry* nif_init() {                                           \
    static ErlNifEntry entry =                                                   \
        ::upcall::detail::make_entry(module, &upcall_load, &upcall_upgrade);     \
    return &entry;                                                               \
  }                                                                              \
  static_assert(true)
