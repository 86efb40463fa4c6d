#pragma once

#include <erl_nif.h>

#include <string_view>
#include <upcall.hpp>

#include "event.hpp"

namespace watcher {

namespace words {

inline const upcall::static_atom failed{"watch_failed"};
inline const upcall::static_atom waiting{"watch_waiting"};
inline const upcall::static_atom ended{"watch_ended"};
inline const upcall::static_atom gone{"gone"};

}  // namespace words

/// The process that a watch belongs to, and what the thread tells it: by message and not through
/// the pool, as the pool may be what fails. See `handle_info` of lib/watcher.ex.
/// Threads: those of native code.
class owner {
 public:
  explicit owner(const ErlNifPid& pid) noexcept : m_pid(pid) {}

  /// The handler has not handled an event, or not to its end, and won't be given it again.
  void tell_failed(const event& lost, const upcall::error& why) const {
    const upcall::owned_env env;
    send(env, enif_make_tuple4(env.get(), words::failed.raw(), upcall::encode(env.get(), lost),
                               why.to_term(env.get()), why.stack_trace().copy_to(env.get())));
  }

  /// The pool can't take an event now; it will be given it again.
  void tell_waiting(const upcall::error& why) const {
    const upcall::owned_env env;
    send(env, enif_make_tuple2(env.get(), words::waiting.raw(), why.to_term(env.get())));
  }

  /// The directory is no longer there; no more events come.
  void tell_gone() const {
    const upcall::owned_env env;
    send(env, enif_make_tuple2(env.get(), words::ended.raw(), words::gone.raw()));
  }

  /// The thread has failed; no more events come.
  void tell_ended(std::string_view why) const {
    const upcall::owned_env env;
    send(env, enif_make_tuple2(env.get(), words::ended.raw(), upcall::encode(env.get(), why)));
  }

 private:
  // One that is dead by now need not know.
  void send(const upcall::owned_env& env, ERL_NIF_TERM message) const noexcept {
    enif_send(nullptr, &m_pid, env.get(), message);
  }

  ErlNifPid m_pid;
};

}  // namespace watcher
