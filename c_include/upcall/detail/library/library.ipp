#pragma once

#include <dlfcn.h>
#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "../../atom.hpp"
#include "../base/atom_text.hpp"
#include "../base/config.hpp"
#include "../base/immortal.hpp"
#include "../base/library_part.hpp"
#include "../executor/executor_link.hpp"
#include "../executor/shared_object.hpp"
#include "../executor/waiting.hpp"
#include "../frame/finisher.hpp"
#include "../frame/trampoline.hpp"
#include "../pinned/pinned_nif.hpp"
#include "../term/resource_type.hpp"
#include "library.hpp"
#include "terminate.hpp"

#if !defined(UPCALL_HEADER_ONLY)
// Is there where a file of this library was compiled without UPCALL_SEPARATE_COMPILATION.
extern "C" __attribute__((weak, visibility("hidden"))) char upcall_header_only_file;
#endif

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Whether files of this library have statics of Upcall's of their own, beside those of the
/// runtime: a list that both are in has no end.
UPCALL_RUNTIME bool statics_are_twice() noexcept {
#if defined(UPCALL_HEADER_ONLY)
  return false;
#else
  return &upcall_header_only_file != nullptr;
#endif
}

/// Whether the table was made of what the macros declared, and not by hand.
UPCALL_RUNTIME constinit bool table_is_declared = false;

/// `nifs()`: what this library declares, as `[{name, arity}]`, to compare with the module's
/// `defnif`s; `:handwritten` where only its author knows.
UPCALL_RUNTIME ERL_NIF_TERM nifs(ErlNifEnv* env, int, const ERL_NIF_TERM[]) noexcept {
  if (!table_is_declared) return detail::make_atom(env, "handwritten");
  ERL_NIF_TERM list = enif_make_list(env, 0);
  for (const declared_nif* each = declared_nif::first(); each != nullptr; each = each->next()) {
    list = enif_make_list_cell(env,
                               enif_make_tuple2(env, enif_make_atom(env, each->entry().name),
                                                enif_make_uint(env, each->entry().arity)),
                               list);
  }
  return list;
}

UPCALL_RUNTIME constinit const ErlNifFunc trampoline_entries[8] = {
    {"__upcall_resume__", 4, &resume<outcome_kind::returned>, 0},
    {"__upcall_resume_raised__", 4, &resume<outcome_kind::raised>, 0},
    {"__upcall_wait__", 2, &await_turn, 0},
    {"__upcall_tell__", 3, &tell, 0},
    {"__upcall_next__", 4, &serve_next, 0},
    {"__upcall_close_frame__", 3, &close_frame, 0},
    {"__upcall_info__", 0, &info, 0},
    {"__upcall_nifs__", 0, &nifs, 0},
};

UPCALL_RUNTIME constinit bool library_is_pinned = false;

/// Keeps this library in memory for good: threads of ours, and frames of old code, outlive a purge.
UPCALL_RUNTIME bool pin_library() noexcept {
  static constinit char inside = 0;
  Dl_info where{};
  library_is_pinned = dladdr(&inside, &where) != 0 && where.dli_fname != nullptr &&
                      dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
  return library_is_pinned;
}

/// All entries of a library. Goes with one that the VM refuses, and so closes again; of one that it
/// has taken nothing is destroyed, as schedulers still run when `exit` gets here.
class nif_table {
 public:
  nif_table() : m_entries(std::begin(trampoline_entries), std::end(trampoline_entries)) {
    for (const declared_nif* each = declared_nif::first(); each != nullptr; each = each->next())
      m_entries->push_back(each->entry());
  }
  nif_table(const nif_table&) = delete;
  nif_table& operator=(const nif_table&) = delete;
  ~nif_table() {
    if (!library_is_pinned) std::destroy_at(&*m_entries);
  }
  std::vector<ErlNifFunc>& entries() noexcept { return *m_entries; }

 private:
  immortal<std::vector<ErlNifFunc>> m_entries;
};

UPCALL_RUNTIME ErlNifEntry make_entry(const char* module,
                                      int (*load)(ErlNifEnv*, void**, ERL_NIF_TERM),
                                      int (*upgrade)(ErlNifEnv*, void**, void**, ERL_NIF_TERM)) {
  table_is_declared = true;
  static nif_table table;
  return {ERL_NIF_MAJOR_VERSION,
          ERL_NIF_MINOR_VERSION,
          module,
          static_cast<int>(table.entries().size()),
          table.entries().data(),
          load,
          nullptr,
          upgrade,
          nullptr,
          ERL_NIF_VM_VARIANT,
          1,
          sizeof(ErlNifResourceTypeInit),
          ERL_NIF_MIN_ERTS_VERSION};
}

UPCALL_RUNTIME int load_library(ErlNifEnv* env, ERL_NIF_TERM options, sanitized_here) noexcept {
  if (statics_are_twice()) return 4;
  if (!pin_library()) return 1;
  static_atom::load_all(env);
  const ERL_NIF_TERM build = enif_make_unique_integer(env, ERL_NIF_UNIQUE_POSITIVE);
  ErlNifUInt64 number = 0;
  enif_get_uint64(env, build, &number);
  library_number = static_cast<std::size_t>(number);
  if (!resource_type::open_all(env, std::to_string(number)) || !detail::open_shared_types(env))
    return 2;
  enif_get_map_value(env, options, detail::make_atom(env, "module"), &library_module);
  dirty_io_schedulers.store(
      static_cast<int>(detail::load_option(env, options, "dirty_io_schedulers")),
      std::memory_order_relaxed);
  library_part::configure_all(env, options);
  // The VM reloads a library that is loaded already by calling this again. Once only, or the
  // handlers of several libraries would call each other in a circle.
  static constinit std::atomic<bool> installed{false};
  if (!installed.exchange(true))
    earlier_terminate_handler = std::set_terminate(&terminate_native_call);
  return abandoned_frames->start() ? 0 : 3;  // see Upcall.LoadFailure
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
