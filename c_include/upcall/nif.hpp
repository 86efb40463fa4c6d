#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "detail/bound_nif.hpp"
#include "detail/library.hpp"

namespace upcall UPCALL_HIDDEN {

// NIF options, given to `UPCALL_NIF` after the function.

struct dirty_cpu_option {};
/// Runs the NIF's steps on a dirty CPU scheduler; none is held while a function runs.
inline constexpr dirty_cpu_option dirty_cpu;

struct dirty_io_option {};
/// Runs the NIF's steps on a dirty IO scheduler; none is held while a function runs.
inline constexpr dirty_io_option dirty_io;

struct pinned_option {};
/// Runs the body on an OS thread of its own, never suspended: for code that holds a lock or
/// thread-local state across a call, that calls functions from threads of its own (OpenMP, a
/// solver's workers), or that computes for long. The functions run in the calling process, one
/// after another, which waits meanwhile; each costs two wake-ups of a thread, some microseconds.
/// The stack is the thread's (`ulimit -s`).
inline constexpr pinned_option pinned;

/// Sets how much stack the body has, in bytes: rounded up to a power of two, 64 KB to 64 MB (more
/// gives 64 MB). The default is 256 KB. Memory is used as far as the stack is:
/// docs/choosing_a_stack_size.md.
struct stack_size {
  std::size_t bytes;
};

/// Sets how many values of a generator are computed ahead at most, and sent to Elixir at once: 1
/// for large ones, and for none ahead. The default is 1000. (`Upcall.Generator` says how many it is
/// in between.)
struct chunk_size {
  std::size_t values;
};

namespace detail {

template <class Options>
constexpr void set(Options& options, chunk_size size) {
  options.chunk_size = size.values;
}
template <class Options>
constexpr void set(Options& options, dirty_cpu_option) {
  options.dirty = ERL_NIF_DIRTY_JOB_CPU_BOUND;
}
template <class Options>
constexpr void set(Options& options, dirty_io_option) {
  options.dirty = ERL_NIF_DIRTY_JOB_IO_BOUND;
}
template <class Options>
constexpr void set(Options& options, pinned_option) {
  options.pinned = true;
}
template <class Options>
constexpr void set(Options& options, stack_size size) {
  options.stack_size = size.bytes;
}

/// Says of an option what runs the body of a fiber that yields; void for all but `yields`.
template <class Option>
struct yielding_of {
  using type = void;
};

template <class...>
struct first_not_void {
  using type = void;
};
template <class T, class... Rest>
struct first_not_void<T, Rest...> {
  using type = T;
};
template <class... Rest>
struct first_not_void<void, Rest...> : first_not_void<Rest...> {};

template <class... Options>
constexpr auto options_of(Options... options) {
  static_assert((int{!std::is_void_v<typename yielding_of<Options>::type>} + ... + 0) <= 1,
                "a NIF yields values of one type: give upcall::yields once");
  using yielding = typename first_not_void<typename yielding_of<Options>::type...>::type;
  nif_options<yielding> made;
  (set(made, options), ...);
  return made;
}

/// Takes one function. Of several overloads, or of a template, none is found.
template <class, class Function>
void take_function(Function);

/// Whether what the user wrote names the function of a template with its arguments.
consteval bool has_arguments(std::string_view written) {
  return written.find('<') != std::string_view::npos &&
         written.find("operator") == std::string_view::npos;
}

static_assert(std::size(trampoline_entries) == 8, "UPCALL_ENTRIES is to name each");

}  // namespace detail

/// Prepares a library whose `ErlNifFunc` table and `load` callback are written by hand: call it
/// from `load` and `upgrade`, with the options that `Upcall.Nif` passed as load info. Gives 0 or an
/// error for `load` to return. It does not touch `priv_data`.
inline int load(ErlNifEnv* env, ERL_NIF_TERM info) noexcept {
  return detail::load_library(env, info);
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
