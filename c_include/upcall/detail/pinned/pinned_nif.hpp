#pragma once

#include <erl_nif.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../atom.hpp"
#include "../base/immortal.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "../nif/bound_nif.hpp"
#include "../nif/call_bound.hpp"
#include "../term/exception_replies.hpp"
#include "../term/resource_type.hpp"
#include "pinned_call.hpp"
#include "pinned_replies.hpp"

// The body that runs on an OS thread of its own: from its NIF to that thread, and what Elixir
// holds.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The threads that pinned calls run on. A few rest for a while when they have done, for starting
/// one costs more than waking one; none stays for ever, for the library may be out of use.
class pinned_threads {
 public:
  /// Runs a call on a thread of its own; false when there is none to be had. Threads: any.
  bool run(std::shared_ptr<pinned_call> call) noexcept {
    const std::lock_guard held(m_mutex);
    if (m_idle > m_waiting.size()) {
      m_waiting.push_back(std::move(call));
      m_wake.notify_one();
      return true;
    }
    try {
      std::thread([this, first = std::move(call)]() mutable { work(std::move(first)); }).detach();
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

 private:
  static constexpr std::size_t most_idle = 8;
  static constexpr std::chrono::seconds rest{5};

  void work(std::shared_ptr<pinned_call> call) noexcept {
    while (call != nullptr) {
      call->run();
      call.reset();
      call = next_call();
    }
  }

  std::shared_ptr<pinned_call> next_call() noexcept {
    std::unique_lock held(m_mutex);
    if (m_idle >= most_idle) return nullptr;
    ++m_idle;
    m_wake.wait_for(held, rest, [this] { return !m_waiting.empty(); });
    --m_idle;
    if (m_waiting.empty()) return nullptr;
    std::shared_ptr<pinned_call> call = std::move(m_waiting.back());
    m_waiting.pop_back();
    return call;
  }

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::vector<std::shared_ptr<pinned_call>> m_waiting;  // each for an idle thread, so in any order
  std::size_t m_idle = 0;
};

inline immortal<pinned_threads> pinned_bodies;

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
