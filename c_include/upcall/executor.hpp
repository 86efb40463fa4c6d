#pragma once

#include <erl_nif.h>

#include <chrono>

#include "codec.hpp"

namespace upcall UPCALL_HIDDEN {

/// Waits as long as it takes.
inline constexpr std::chrono::nanoseconds infinity = std::chrono::nanoseconds::max();

/// How long a call waits for its answer where nobody says.
inline constexpr std::chrono::nanoseconds default_timeout = std::chrono::seconds(5);

/// How a function is called through an executor.
struct call_options {
  std::chrono::nanoseconds timeout = default_timeout;  ///< for the answer, from the call on
};

/// Names a process that runs functions for native code: an `Upcall.Server` or an `Upcall.Pool`, by
/// its pid on this node or the atom that it is registered as. A NIF takes one as a parameter.
/// Threads: any; valid for ever, whatever becomes of the process.
class executor {
 public:
  explicit(false) executor(const ErlNifPid& pid) noexcept : m_raw(pid.pid) {}
  explicit(false) executor(const atom& registered) noexcept : m_raw(registered.raw()) {}
  explicit(false) executor(const static_atom& registered) noexcept : m_raw(registered.raw()) {}

  /// Gives the pid or the name; both are valid in every environment.
  [[nodiscard]] ERL_NIF_TERM raw() const noexcept { return m_raw; }

 private:
  friend struct codec<executor>;
  explicit executor(ERL_NIF_TERM raw) noexcept : m_raw(raw) {}

  ERL_NIF_TERM m_raw;  // local pids and atoms are words, which no collection moves
};

/// Takes a pid or a name. Throws: `bad_term`.
template <>
struct codec<executor> {
  using own = executor;
  static executor decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    ErlNifPid pid;
    if (!enif_is_atom(env, raw) && !enif_get_local_pid(env, raw, &pid))
      throw bad_term("an executor, by its pid on this node or its registered name", raw);
    return executor(raw);
  }
  static ERL_NIF_TERM encode(ErlNifEnv*, const executor& value) noexcept { return value.raw(); }
};

}  // namespace UPCALL_HIDDEN
