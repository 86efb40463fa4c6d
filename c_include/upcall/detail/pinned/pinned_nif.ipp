#pragma once

#include <erl_nif.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "../../atom.hpp"
#include "../base/immortal.hpp"
#include "../call/native_call.hpp"
#include "../nif/call_bound.hpp"
#include "../term/exception_replies.hpp"
#include "../term/resource_type.hpp"
#include "pinned_call.hpp"
#include "pinned_nif.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// The threads that pinned calls run on. A few rest for a while when they have done, for starting
/// one costs more than waking one; none stays for ever, for the library may be out of use.
class pinned_threads {
 public:
  /// Runs a call on a thread of its own; false when there is none to be had. Threads: any.
  bool run(std::shared_ptr<pinned_call> call) noexcept;

 private:
  static constexpr std::size_t most_idle = 8;
  static constexpr std::chrono::seconds rest{5};

  void work(std::shared_ptr<pinned_call> call) noexcept;

  std::shared_ptr<pinned_call> next_call() noexcept;

  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::vector<std::shared_ptr<pinned_call>> m_waiting;  // each for an idle thread, so in any order
  std::size_t m_idle = 0;
};

UPCALL_RUNTIME bool pinned_threads::run(std::shared_ptr<pinned_call> call) noexcept {
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

UPCALL_RUNTIME void pinned_threads::work(std::shared_ptr<pinned_call> call) noexcept {
  while (call != nullptr) {
    call->run();
    call.reset();
    call = next_call();
  }
}

UPCALL_RUNTIME std::shared_ptr<pinned_call> pinned_threads::next_call() noexcept {
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

UPCALL_RUNTIME immortal<pinned_threads> pinned_bodies;

/// What Elixir holds of a pinned call: a resource.
struct pinned_handle {
  std::shared_ptr<pinned_call> call;
};

UPCALL_RUNTIME void destroy_pinned_handle(ErlNifEnv* env, void* object) noexcept {
  auto* const handle = static_cast<pinned_handle*>(object);
  handle->call->abandon(env);
  std::destroy_at(handle);
}

UPCALL_RUNTIME resource_type pinned_handle_type{"pinned", &run_destructor<&destroy_pinned_handle>};

UPCALL_RUNTIME ERL_NIF_TERM run_pinned(ErlNifEnv* env,
                                       const std::shared_ptr<pinned_call>& call) noexcept {
  void* const place = enif_alloc_resource(pinned_handle_type.type(), sizeof(pinned_handle));
  std::construct_at(static_cast<pinned_handle*>(place), pinned_handle{call});
  const ERL_NIF_TERM handle = enif_make_resource(env, place);
  enif_release_resource(place);
  const ERL_NIF_TERM roots = call->take_roots(env);
  return pinned_bodies->run(call) ? enif_make_tuple3(env, atoms::pinned.raw(), handle, roots) : 0;
}

UPCALL_RUNTIME ERL_NIF_TERM serve_next(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
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
