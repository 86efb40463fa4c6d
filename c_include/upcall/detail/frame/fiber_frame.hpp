#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <type_traits>

#include "../base/function_ref.hpp"
#include "../base/library_part.hpp"
#include "../fiber/fiber.hpp"
#include "../fiber/fiber_thread.hpp"
#include "../fiber/stack_pool.hpp"
#include "../fiber/stack_use.hpp"
#include "../nif/bound_nif.hpp"
#include "../nif/call_bound.hpp"
#include "frame.hpp"
#include "frame_replies.hpp"
#include "stack_overflow.hpp"

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
  ERL_NIF_TERM run_step(ErlNifEnv* env, outcome_kind kind, ERL_NIF_TERM outcome) noexcept override {
    step next{env, 0};
    thread_calls& here = begin_step(next, kind, outcome);
    fiber* const on = m_fiber;
    const std::size_t stack_class = m_stack_class;
    on->resume(exceptions_of(here));
    here.current = nullptr;
    on->note_depth();
    if (on->resting()) stack_pool::this_thread().give(on, stack_class);
    return next.reply;
  }
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

/// Gives how deep stacks have been as `%{{name, arity} => %{size: bytes, deepest: bytes}}`.
inline ERL_NIF_TERM stack_depths(ErlNifEnv* env) noexcept {
  ERL_NIF_TERM depths = enif_make_new_map(env);
  for (const stack_use* each = stack_use::first(); each != nullptr; each = each->next()) {
    ERL_NIF_TERM use = enif_make_new_map(env);
    detail::put_info(env, use, "size", enif_make_uint64(env, each->size()));
    detail::put_info(env, use, "deepest", enif_make_uint64(env, each->deepest()));
    const ERL_NIF_TERM nif =
        enif_make_tuple2(env, enif_make_atom(env, each->name()), enif_make_int(env, each->arity()));
    enif_make_map_put(env, depths, nif, use, &depths);
  }
  return depths;
}

/// What stacks need of the library that they are in.
inline const library_part stacks_part{
    [](ErlNifEnv* env, ERL_NIF_TERM options) noexcept {
      stacks->memory().configure(detail::option_is(env, options, "guard_pages", "mprotect")
                                     ? guard_pages::mprotect
                                     : guard_pages::automatic,
                                 detail::load_option(env, options, "max_stacks"));
      detail::report_overflows(env, library_module);
    },
    [](ErlNifEnv* env, ERL_NIF_TERM& info) noexcept {
      stack_memory& memory = stacks->memory();
      detail::put_info(env, info, "stacks", enif_make_uint64(env, memory.mapped()));
      detail::put_info(env, info, "max_stacks", enif_make_uint64(env, memory.most()));
      detail::put_info(env, info, "light_guards",
                       (memory.light() ? atoms::true_ : atoms::false_).raw());
      detail::put_info(env, info, "stack_depths", detail::stack_depths(env));
      detail::put_info(env, info, "measures_stacks",
                       (UPCALL_MEASURES_STACKS ? atoms::true_ : atoms::false_).raw());
    }};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
