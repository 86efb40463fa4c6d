#pragma once

#include <erl_nif.h>

#include <cstddef>

#include "atom_text.hpp"
#include "config.hpp"
#include "registered.hpp"

// What a library has to know of only when it includes the header for it.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The module that loaded this library: executors answer by its NIFs, and errors name it.
inline constinit ERL_NIF_TERM library_module = 0;

/// A part of the library that has load options and counts of its own.
class library_part : public registered<library_part> {
 public:
  using configure_function = void (*)(ErlNifEnv* env, ERL_NIF_TERM options) noexcept;
  using add_info_function = void (*)(ErlNifEnv* env, ERL_NIF_TERM& info) noexcept;

  library_part(configure_function with_options, add_info_function to) noexcept
      : m_configure(with_options), m_add_info(to) {
    enter();
  }

  static void configure_all(ErlNifEnv* env, ERL_NIF_TERM options) noexcept {
    for (const library_part* each = first(); each != nullptr; each = each->next())
      each->m_configure(env, options);
  }
  /// Puts what `Upcall.info/1` says of each part into its map.
  static void add_info_of_all(ErlNifEnv* env, ERL_NIF_TERM& info) noexcept {
    for (const library_part* each = first(); each != nullptr; each = each->next())
      each->m_add_info(env, info);
  }

 private:
  configure_function m_configure;
  add_info_function m_add_info;
};

/// Reads `key` from the map of options that the module loads the library with.
std::size_t load_option(ErlNifEnv* env, ERL_NIF_TERM options, const char* key) noexcept;

bool option_is(ErlNifEnv* env, ERL_NIF_TERM options, const char* key, const char* value) noexcept;

inline void put_info(ErlNifEnv* env, ERL_NIF_TERM& info, const char* name,
                     ERL_NIF_TERM value) noexcept {
  enif_make_map_put(env, info, detail::make_atom(env, name), value, &info);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "library_part.ipp"  // IWYU pragma: export
#endif
