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
  nif_name nif;
  const ERL_NIF_TERM* arguments;
};

/// Runs `Body(frame, arguments)`, the whole of a native call, until it first suspends or ends, and
/// gives what the NIF returns.
template <void (*Body)(frame&, const ERL_NIF_TERM*)>
ERL_NIF_TERM start_fiber_frame(ErlNifEnv* env, nif_name nif, std::size_t stack_class,
                               const ERL_NIF_TERM* arguments) noexcept {
  fiber* const on = stacks->take(stack_class);
  if (on == nullptr) return system_limit_reply(env);
  fiber_start start{{env, 0}, on, stack_class, nif, arguments};
  on->start(
      [](void* argument) noexcept {
        auto& begin = *static_cast<fiber_start*>(argument);
        frame running(begin.first, begin.nif, begin.on, begin.stack_class);
        running.run([&] { Body(running, begin.arguments); });
      },
      &start);
  this_thread_frame() = nullptr;
  if (on->resting()) stacks->give(on, stack_class);
  return start.first.reply;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
