#pragma once

#include <erl_nif.h>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../atom.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "../nif/bound_nif.hpp"
#include "../nif/call_bound.hpp"
#include "../term/exception_replies.hpp"
#include "pinned_call.hpp"

// The body that runs on an OS thread of its own: from its NIF to that thread, and what Elixir
// holds.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// `next(call, kind, outcome, turn)`: see `pinned_call::next`; `kind` is `:returned`, `:raised`, or
/// nil where there was no request.
ERL_NIF_TERM serve_next(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept;

/// Hands a call to a thread and gives what the NIF returns, `{:pinned, call, roots}`; 0 where there
/// is no thread to be had.
ERL_NIF_TERM run_pinned(ErlNifEnv* env, const std::shared_ptr<pinned_call>& call) noexcept;

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
    const current_call_scope here(*this);
    std::exception_ptr unscoped;
    this_thread_calls().c_failure = &unscoped;
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
    this_thread_calls().c_failure = nullptr;
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
    const current_call_scope scope(*call);
    try {
      call->decode(env, raw);
    } catch (...) {
      return detail::reply_in_nif(env, nif);
    }
  }
  if (const ERL_NIF_TERM reply = detail::run_pinned(env, call); reply != 0) return reply;
  call->drop_arguments();
  return detail::system_limit_reply(env);
}

template <auto Function, class Parameters, auto Options>
struct nif_body<Function, Parameters, Options, pinned_thread_body> {
  static_assert(!any_needs_frame(std::type_identity<Parameters>{}),
                "an upcall::sequence is read by a native call that is suspended: take a "
                "std::vector, or drop upcall::pinned");
  static_assert(!Options.is_yielding,
                "a pinned NIF is not suspended between the values that it yields: drop "
                "upcall::pinned");
  static_assert(Options.dirty == 0,
                "a pinned NIF runs on a thread of its own, and so on no dirty scheduler");
  static ERL_NIF_TERM start(ErlNifEnv* env, nif_identity nif, const ERL_NIF_TERM* raw) noexcept {
    return detail::start_pinned<Function, Parameters>(env, nif, raw);
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "pinned_nif.ipp"  // IWYU pragma: export
#endif
