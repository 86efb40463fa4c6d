#pragma once

#include <erl_nif.h>

#include "../base/config.hpp"
#include "../base/registered.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A NIF that a macro declared.
class declared_nif : public registered<declared_nif> {
 public:
  explicit declared_nif(const ErlNifFunc& declared) noexcept : m_entry(declared) { enter(); }
  [[nodiscard]] const ErlNifFunc& entry() const noexcept { return m_entry; }

 private:
  ErlNifFunc m_entry;
};

/// The entries that the trampoline needs in every library's table.
extern const ErlNifFunc trampoline_entries[8];

/// Makes the table that `nif_init` gives to the VM. It lives as long as the library.
ErlNifEntry make_entry(const char* module, int (*load)(ErlNifEnv*, void**, ERL_NIF_TERM),
                       int (*upgrade)(ErlNifEnv*, void**, void**, ERL_NIF_TERM));

#if defined(_GLIBCXX_DEBUG)
inline constexpr bool containers_are_checked = true;
#else
inline constexpr bool containers_are_checked = false;
#endif

/// What a file is compiled with that decides how objects look: sanitizers, and containers that
/// check their use. As a part of the name of `load_library` it keeps a library from being linked
/// with a runtime that has others.
template <bool Address, bool Thread, bool Checked>
struct sanitized {};
#if defined(UPCALL_ASAN)
using sanitized_here = sanitized<true, false, containers_are_checked>;
#elif defined(UPCALL_TSAN)
using sanitized_here = sanitized<false, true, containers_are_checked>;
#else
using sanitized_here = sanitized<false, false, containers_are_checked>;
#endif

/// Opens what is this build's: atoms, resource types, threads. Gives 0, or why not, for
/// `Upcall.LoadFailure`.
int load_library(ErlNifEnv* env, ERL_NIF_TERM options, sanitized_here) noexcept;

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "library.ipp"  // IWYU pragma: export
#endif
