#pragma once

#include <erl_nif.h>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "call_bound.hpp"
#include "exception_replies.hpp"
#include "pinned_call.hpp"
#include "pinned_handle.hpp"
#include "pinned_requests.hpp"
#include "pinned_threads.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The whole of a native call on a thread of its own.
template <auto Function, class Parameters>
class pinned_body final : public pinned_call {
 public:
  using pinned_call::pinned_call;

  /// Threads: the process's, while the call starts.
  void decode(ErlNifEnv* env, const ERL_NIF_TERM* raw) {
    m_arguments.emplace(argument_list<Parameters>::decode(env, raw));
  }
  void drop_arguments() noexcept { m_arguments.reset(); }

  void run() noexcept override {
    const pinned_scope here(*this);
    std::exception_ptr unscoped;
    this_thread_frames().c_failure = &unscoped;
    ERL_NIF_TERM result = 0;
    try {
      detail::call_bound<Function>(
          std::type_identity<Parameters>{}, *m_arguments, [&](const auto& make) {
            result = enif_make_tuple2(env(), atoms::return_.raw(), make(env()));
          });
      if (unscoped) std::rethrow_exception(std::exchange(unscoped, nullptr));
    } catch (...) {
      result = reply_of_current_exception(env(), nif());
    }
    // What it destroys may make upcalls. Its functions hold this call: without this, for ever.
    drop_arguments();
    this_thread_frames().c_failure = nullptr;
    finish(result);
  }

 private:
  std::optional<typename argument_list<Parameters>::type> m_arguments;
};

/// Decodes the arguments and hands the call to a thread: `{:pinned, call, roots}`.
template <auto Function, class Parameters>
ERL_NIF_TERM start_pinned(ErlNifEnv* env, nif_identity nif, const ERL_NIF_TERM* raw) noexcept {
  const auto call = std::make_shared<pinned_body<Function, Parameters>>(env, nif);
  {
    const pinned_scope scope(*call);
    try {
      call->decode(env, raw);
    } catch (...) {
      return detail::reply_in_nif(env, nif);
    }
  }
  void* const place = enif_alloc_resource(pinned_handle_type.type(), sizeof(pinned_handle));
  std::construct_at(static_cast<pinned_handle*>(place), pinned_handle{call});
  const ERL_NIF_TERM handle = enif_make_resource(env, place);
  enif_release_resource(place);
  const ERL_NIF_TERM roots = call->take_roots(env);
  if (!pinned_bodies->run(call)) {
    call->drop_arguments();
    return detail::system_limit_reply(env);
  }
  return enif_make_tuple3(env, atoms::pinned.raw(), handle, roots);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
