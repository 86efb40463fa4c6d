#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include "../../error.hpp"
#include "../base/config.hpp"
#include "../base/sleeper.hpp"
#include "../base/spin_policy.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "shared_object.hpp"
#include "slot.hpp"
#include "waiting.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Releases a call when the process that it was made for dies.
class caller_watch final : public shared_object {
 public:
  explicit caller_watch(const std::shared_ptr<slot>& call) noexcept : m_call(call) {}
  void destroy() noexcept override { std::destroy_at(this); }
  void process_died(ErlNifEnv* env, const ErlNifPid&) noexcept override {
    m_call->decide(env, reply_kind::caller_gone);
  }
  ERL_NIF_TERM tell(ErlNifEnv* env, ERL_NIF_TERM, ERL_NIF_TERM) noexcept override {
    return enif_make_badarg(env);
  }

 private:
  std::shared_ptr<slot> m_call;
};

UPCALL_RUNTIME clock::time_point deadline_after(std::chrono::nanoseconds timeout) noexcept {
  const clock::time_point now = clock::now();
  if (timeout >= no_deadline - now) return no_deadline;
  return now + std::max(timeout, std::chrono::nanoseconds::zero());
}

/// Waits on the thread of a dirty NIF, which goes on after its process was killed.
UPCALL_RUNTIME void wait_in_dirty_nif(ErlNifEnv* env, const std::shared_ptr<slot>& call,
                                      clock::time_point deadline) noexcept {
  // A monitor costs as much as a quick call.
  constexpr std::chrono::milliseconds before_a_monitor{1};
  if (call->wait(std::min(deadline, clock::now() + before_a_monitor), *spinning)) return;
  const auto watch = shared_ref<caller_watch>::make(monitoring_objects, call);
  ErlNifPid self;
  ErlNifMonitor monitor;
  enif_self(env, &self);
  if (enif_monitor_process(env, watch.get(), &self, &monitor) != 0) {
    call->decide(env, reply_kind::caller_gone);
    return;
  }
  call->wait(deadline, *spinning);
  enif_demonitor_process(env, watch.get(), &monitor);
}

UPCALL_RUNTIME awaited_slot::awaited_slot(const std::shared_ptr<slot>& call) : m_call(call) {
  if (call->claim())
    raise("Elixir.RuntimeError",
          "another native call waits for this upcall::future: one at a time can have it");
}

UPCALL_RUNTIME void wait_for(ErlNifEnv* env, const std::shared_ptr<slot>& call,
                             clock::time_point deadline) {
  if (native_call* const running = current_call()) {
    running->check_may_wait();
    if (call->done()) return;
    awaited_slot waiting(call);
    running->wait_for(waiting, deadline);
  } else if (env != nullptr && enif_thread_type() == ERL_NIF_THR_DIRTY_IO_SCHEDULER) {
    wait_in_dirty_nif(env, call, deadline);
  } else {
    call->wait(deadline, *spinning);
  }
}

UPCALL_RUNTIME waiting_place::waiting_place() {
  if (this_thread_calls().destructor_env != nullptr) {
    raise("Elixir.RuntimeError",
          "waiting for an executor in the destructor of a resource would block a scheduler of the "
          "VM; in a destructor, use cast or try_call");
  }
  native_call* const running = current_call();
  if (running != nullptr && running->may_wait_here()) {
    running->check_may_wait();  // says why it may not, if so
    return;
  }
  switch (enif_thread_type()) {
    case ERL_NIF_THR_UNDEFINED:
      return;
    case ERL_NIF_THR_DIRTY_IO_SCHEDULER:
      m_counted = true;
      // The last one is left for others, without which the VM could not open a file.
      m_free = dirty_io_waiting.fetch_add(1, std::memory_order_relaxed) + 1 <
               dirty_io_schedulers.load(std::memory_order_relaxed);
      return;
    case ERL_NIF_THR_DIRTY_CPU_SCHEDULER:
      raise("Elixir.RuntimeError",
            "waiting for an executor on a dirty CPU scheduler can deadlock the VM, which collects "
            "large heaps there; declare the NIF dirty_io, or make it a frame (UPCALL_NIF); in a "
            "destructor, use cast or try_call");
    default:
      raise("Elixir.RuntimeError",
            "waiting for an executor on a normal scheduler would block the VM; declare the NIF "
            "dirty_io, or make it a frame (UPCALL_NIF); in a destructor, use cast or try_call");
  }
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
