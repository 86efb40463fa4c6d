#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <type_traits>

#include "detail/base/config.hpp"

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

/// What a NIF's options come to. `Yielding` runs the body of a fiber that yields values; void where
/// it yields none. (A type: Clang up to 21 reads a pointer that is a member of a template argument
/// at a wrong offset, where the class has padding before it.)
template <class Yielding = void>
struct nif_options {
  using yielding = Yielding;
  static constexpr bool is_yielding = !std::is_void_v<Yielding>;

  std::size_t stack_size = 0;     ///< of a fiber, 0 for the default
  std::size_t chunk_size = 1000;  ///< of a generator
  unsigned dirty = 0;             ///< erl_nif's flag for the scheduler its steps run on
  bool pinned = false;            ///< on an OS thread of its own
};

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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
