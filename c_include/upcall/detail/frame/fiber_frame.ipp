#pragma once

#include <erl_nif.h>

#include <cstddef>

#include "../base/library_part.hpp"
#include "../fiber/fiber.hpp"
#include "../fiber/fiber_thread.hpp"
#include "../fiber/stack_pool.hpp"
#include "../fiber/stack_use.hpp"
#include "fiber_frame.hpp"
#include "stack_overflow.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Gives how deep stacks have been as `%{{name, arity} => %{size: bytes, deepest: bytes}}`.
UPCALL_RUNTIME ERL_NIF_TERM stack_depths(ErlNifEnv* env) noexcept {
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
UPCALL_RUNTIME const library_part stacks_part{
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
    }};

UPCALL_RUNTIME ERL_NIF_TERM fiber_frame::run_step(ErlNifEnv* env, outcome_kind kind,
                                                  ERL_NIF_TERM outcome) noexcept {
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

}  // namespace detail
}  // namespace UPCALL_HIDDEN
