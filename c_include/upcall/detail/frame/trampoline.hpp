#pragma once

#include <erl_nif.h>

#include "../term/exception_replies.hpp"
#include "frame.hpp"
#include "frame_handles.hpp"

// The NIFs that Elixir's side of the trampoline (lib/upcall/native/nif.ex) calls.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives the handle of a frame of the calling process. Else gives null, and `failure` is what the
/// NIF must return.
UPCALL_ALWAYS_INLINE frame_handle* handle_of(ErlNifEnv* env, ERL_NIF_TERM reference,
                                             ERL_NIF_TERM& failure) noexcept {
  void* object = nullptr;
  if (!enif_get_resource(env, reference, frame_handle_type.type(), &object)) {
    failure = detail::raise_argument_error(
        env, "expected a native frame of this library as it is loaded now");
    return nullptr;
  }
  auto* handle = static_cast<frame_handle*>(object);
  ErlNifPid self;
  enif_self(env, &self);
  if (self.pid != handle->owner) {
    failure = detail::raise_argument_error(
        env, "a native frame can be resumed by the process that made it only");
    return nullptr;
  }
  return handle;
}

/// Gives the handle of a suspended frame, which the calling process may resume. Else as
/// `handle_of`.
UPCALL_ALWAYS_INLINE frame_handle* own_frame(ErlNifEnv* env, ERL_NIF_TERM reference,
                                             ERL_NIF_TERM& failure) noexcept {
  frame_handle* const handle = detail::handle_of(env, reference, failure);
  if (handle == nullptr || handle->suspended != nullptr) return handle;
  failure = detail::raise_argument_error(env, "this native frame has ended");
  return nullptr;
}

inline ERL_NIF_TERM raise_wrong_step(ErlNifEnv* env) noexcept {
  return detail::raise_argument_error(
      env, "this native frame waits for another upcall, or its roots were changed");
}

/// `resume(frame, roots, token, outcome)`: gives the pending upcall its outcome and runs the next
/// step.
template <outcome_kind Kind>
ERL_NIF_TERM resume(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
  ERL_NIF_TERM failure = 0;
  const frame_handle* handle = detail::own_frame(env, argv[0], failure);
  if (handle == nullptr) return failure;
  if (handle->dirty != 0 && enif_thread_type() == ERL_NIF_THR_NORMAL_SCHEDULER) {
    return enif_schedule_nif(env, "__upcall_resume__", static_cast<int>(handle->dirty),
                             &resume<Kind>, 4, argv);
  }
  frame& running = *handle->suspended;
  if (!running.take_roots(env, argv[1], argv[2])) return detail::raise_wrong_step(env);
  return running.run_step(env, Kind, argv[3]);
}

/// `wait(frame, reference)`: `:granted` when what the frame waits for has come already, else
/// `:waiting`, and the message `{:upcall_turn, reference}` will come. `wait(frame, nil)` takes that
/// back and gives `:withdrawn`; or `:granted`, when the message is under way.
ERL_NIF_TERM await_turn(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept;

/// `close_frame(frame, roots, token)`: ends a native call that nobody will resume, at once: it is
/// abandoned, and finished here, by the process that could have gone on with it. Of an enumeration
/// a continuation of any age does that: what it knows of the roots may be old, and then the frame
/// is left to the finisher.
ERL_NIF_TERM close_frame(ErlNifEnv* env, int argc, const ERL_NIF_TERM argv[]) noexcept;

/// `info()`: counts of this library's frames and calls, for `Upcall.info/1`.
ERL_NIF_TERM info(ErlNifEnv* env, int, const ERL_NIF_TERM[]) noexcept;

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "trampoline.ipp"  // IWYU pragma: export
#endif
