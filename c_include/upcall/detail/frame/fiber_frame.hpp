#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <type_traits>

#include "../base/library_part.hpp"
#include "../fiber/fiber.hpp"
#include "../fiber/fiber_thread.hpp"
#include "../fiber/stack_pool.hpp"
#include "../nif/bound_nif.hpp"
#include "../nif/call_bound.hpp"
#include "../term/exception_replies.hpp"
#include "frame.hpp"

// The body that is direct code, on a stack of its own.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A native call on a fiber. It lives on the fiber's stack.
class fiber_frame final : public frame {
 public:
  fiber_frame(step& first, nif_identity nif, fiber* on, std::size_t stack_class,
              thread_calls& here) noexcept
      : frame(first, nif, body_kind::fiber, {on, on->size(), on->stack()}, here),
        m_fiber(on),
        m_stack_class(stack_class) {
    on->occupant = static_cast<native_call*>(this);
  }
  fiber_frame(const fiber_frame&) = delete;
  fiber_frame& operator=(const fiber_frame&) = delete;
  ~fiber_frame() {
    let_go();
    m_fiber->occupant = nullptr;
  }

  /// As `leave`, without a call.
  UPCALL_ALWAYS_INLINE void leave_here() noexcept { m_fiber->suspend(); }

 private:
  ERL_NIF_TERM run_step(ErlNifEnv* env, outcome_kind kind, ERL_NIF_TERM outcome) noexcept override;
  void leave() noexcept override { leave_here(); }
  [[noreturn]] void lose() noexcept override { m_fiber->lose(); }

  fiber* m_fiber;
  std::size_t m_stack_class;
};

/// Leaves a frame that may suspend where it is, and so is on a fiber.
UPCALL_ALWAYS_INLINE void leave_fiber(frame& running) noexcept {
  static_cast<fiber_frame&>(running).leave_here();
}

/// What a fiber needs to begin: lives on the stack of the thread that starts it, until it first
/// suspends.
struct fiber_start {
  step first;
  fiber* on;
  std::size_t stack_class;
  nif_identity nif;
  const ERL_NIF_TERM* arguments;
  thread_calls& here;
};

/// Runs `Body(frame, arguments)`, the whole of a native call, until it first suspends or ends, and
/// gives what the NIF returns.
template <void (*Body)(frame&, const ERL_NIF_TERM*)>
ERL_NIF_TERM start_fiber_frame(ErlNifEnv* env, nif_identity nif, std::size_t stack_class,
                               const ERL_NIF_TERM* arguments) noexcept {
  stack_pool::thread& pool = stack_pool::this_thread();
  fiber* const on = pool.take(stack_class);
  if (on == nullptr) return detail::system_limit_reply(env);
  fiber_start start{{env, 0}, on, stack_class, nif, arguments, this_thread_calls()};
  on->note_depths_in(*nif.stack);
  on->start(
      [](void* argument) noexcept {
        auto& begin = *static_cast<fiber_start*>(argument);
        fiber_frame running(begin.first, begin.nif, begin.on, begin.stack_class, begin.here);
        running.run([&] { Body(running, begin.arguments); });
      },
      &start, exceptions_of(start.here));
  start.here.current = nullptr;
  on->note_depth();
  if (on->resting()) pool.give(on, stack_class);
  return start.first.reply;
}

/// The whole of a native call on a fiber.
template <auto Function, class Parameters, auto Options>
void run_bound(frame& running, const ERL_NIF_TERM* raw) {
  auto arguments = [&] {
    const frame::codec_scope scope(running);
    return argument_list<Parameters>::decode(running.env(), raw);
  }();
  if constexpr (Options.is_yielding) {
    static_assert(std::is_void_v<typename signature<std::remove_cv_t<decltype(Function)>>::result>,
                  "a NIF with upcall::yields gives values by upcall::yield_value: it returns void");
    auto run = [&] {
      detail::call_bound<Function>(std::type_identity<Parameters>{}, arguments, [](const auto&) {});
    };
    decltype(Options)::yielding::run(running, raw, run);
  } else {
    detail::call_bound<Function>(
        std::type_identity<Parameters>{}, arguments, [&](const auto& make) {
          if (running.is_abandoned()) return;
          const frame::codec_scope scope(running);
          running.set_result(
              detail::make_tuple(running.env(), atoms::return_.raw(), make(running.env())));
        });
  }
}

inline constexpr std::size_t default_stack_size = std::size_t{256} * 1024;

/// Direct code runs on a fiber.
template <auto Function, class Parameters, auto Options>
struct nif_body<Function, Parameters, Options, fiber_body> {
  static ERL_NIF_TERM start(ErlNifEnv* env, nif_identity nif, const ERL_NIF_TERM* raw) noexcept {
    return start_fiber_frame<&run_bound<Function, Parameters, Options>>(
        env, nif,
        stack_pool::class_of(Options.stack_size == 0 ? default_stack_size : Options.stack_size),
        raw);
  }
};

#if defined(UPCALL_MEASURE_STACKS)
/// Says of a library that NIFs of it measure their stacks.
inline const library_part measuring_part{[](ErlNifEnv*, ERL_NIF_TERM) noexcept {},
                                         [](ErlNifEnv* env, ERL_NIF_TERM& info) noexcept {
                                           detail::put_info(env, info, "measures_stacks",
                                                            atoms::true_.raw());
                                         }};
#endif

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "fiber_frame.ipp"  // IWYU pragma: export
#endif
