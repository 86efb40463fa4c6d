#pragma once

#include <erl_nif.h>

#include <memory>
#include <optional>

#include "../atom.hpp"
#include "exception_replies.hpp"
#include "frame_parts.hpp"
#include "pinned_call.hpp"
#include "pinned_requests.hpp"
#include "resource_type.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What Elixir holds of a pinned call: a resource.
struct pinned_handle {
  std::shared_ptr<pinned_call> call;
};

inline void destroy_pinned_handle(ErlNifEnv* env, void* object) noexcept {
  auto* const handle = static_cast<pinned_handle*>(object);
  handle->call->abandon(env);
  std::destroy_at(handle);
}
inline resource_type pinned_handle_type{"pinned", &run_destructor<&destroy_pinned_handle>};

/// `next(call, kind, outcome, turn)`: see `pinned_call::next`; `kind` is `:returned`, `:raised`, or
/// nil where there was no request.
inline ERL_NIF_TERM serve_next(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
  void* object = nullptr;
  if (!enif_get_resource(env, argv[0], pinned_handle_type.type(), &object))
    return detail::raise_argument_error(
        env, "expected a pinned call of this library as it is loaded now");
  // It may end, and the handle be collected, only after this.
  pinned_call& call = *static_cast<pinned_handle*>(object)->call;
  ErlNifPid self;
  enif_self(env, &self);
  if (self.pid != call.owner().pid || !enif_is_ref(env, argv[3])) {
    return detail::raise_argument_error(
        env, "a pinned call can be served by the process that made it only, with a reference");
  }
  const bool raised = enif_is_identical(argv[1], atoms::raised.raw()) != 0;
  std::optional<outcome_kind> kind;
  if (raised || enif_is_identical(argv[1], atoms::returned.raw()))
    kind = raised ? outcome_kind::raised : outcome_kind::returned;
  const ERL_NIF_TERM reply = call.next(env, kind, argv[2], argv[3]);
  return reply != 0
             ? reply
             : detail::raise_argument_error(env, "this pinned call has no request to be answered");
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
