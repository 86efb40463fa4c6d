#pragma once

#include <erl_nif.h>

#include <cstddef>

#include "fiber.hpp"
#include "frame.hpp"
#include "frame_replies.hpp"
#include "stack_pool.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a fiber needs to begin: lives on the stack of the thread that starts it, until it first
/// suspends.
struct fiber_start {
  step first;
  fiber* on;
  std::size_t stack_class;
  nif_identity nif;
  const ERL_NIF_TERM* arguments;
  thread_frames& here;
};

/// Runs `Body(frame, arguments)`, the whole of a native call, until it first suspends or ends, and
/// gives what the NIF returns.
template <void (*Body)(frame&, const ERL_NIF_TERM*)>
ERL_NIF_TERM start_fiber_frame(ErlNifEnv* env, nif_identity nif, std::size_t stack_class,
                               const ERL_NIF_TERM* arguments) noexcept {
  stack_pool::thread& pool = stack_pool::this_thread();
  fiber* const on = pool.take(stack_class);
  if (on == nullptr) return system_limit_reply(env);
  fiber_start start{{env, 0}, on, stack_class, nif, arguments, this_thread_frames()};
  on->start(
      [](void* argument) noexcept {
        auto& begin = *static_cast<fiber_start*>(argument);
        frame running(begin.first, begin.nif, begin.on, begin.stack_class, begin.here);
        running.run([&] { Body(running, begin.arguments); });
      },
      &start, start.here.exceptions());
  start.here.current = nullptr;
  if (on->resting()) pool.give(on, stack_class);
  return start.first.reply;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
