#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <utility>

#include "../../error.hpp"
#include "../base/library_part.hpp"
#include "../call/counts.hpp"
#include "../call/waitable.hpp"
#include "../term/exception_replies.hpp"
#include "finisher.hpp"
#include "frame.hpp"
#include "frame_handles.hpp"
#include "trampoline.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM await_turn(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) noexcept {
  ERL_NIF_TERM failure = 0;
  const frame_handle* handle = detail::own_frame(env, argv[0], failure);
  if (handle == nullptr) return failure;
  waitable* const wanted = handle->suspended->awaited;
  const bool withdraws = enif_is_identical(argv[1], atoms::nil.raw());
  if (wanted == nullptr || (!withdraws && !enif_is_ref(env, argv[1]))) {
    return detail::raise_argument_error(env, "this native frame does not wait for its turn");
  }
  if (withdraws) return (wanted->withdraw() ? atoms::withdrawn : atoms::granted).raw();
  return (wanted->await(env, argv[1]) ? atoms::waiting : atoms::granted).raw();
}

/// Finishes a frame that its own process gives up, in a step of that.
UPCALL_RUNTIME ERL_NIF_TERM finish_closed(ErlNifEnv* env, frame* closed) noexcept {
  const ERL_NIF_TERM reply = closed->finish(env);
  if (reply == atoms::yield.raw()) {  // it takes longer than a scheduler has time
    abandoned_frames->requeue(closed);
    return atoms::ok.raw();
  }
  counts.abandoned.fetch_sub(1, std::memory_order_relaxed);
  return reply != 0 ? reply : atoms::ok.raw();
}

UPCALL_RUNTIME ERL_NIF_TERM close_frame(ErlNifEnv* env, int argc,
                                        const ERL_NIF_TERM argv[]) noexcept {
  ERL_NIF_TERM failure = 0;
  frame_handle* const handle = detail::handle_of(env, argv[0], failure);
  if (handle == nullptr) return failure;
  if (handle->suspended == nullptr) return atoms::ok.raw();
  if (handle->dirty != 0 && enif_thread_type() == ERL_NIF_THR_NORMAL_SCHEDULER) {
    return enif_schedule_nif(env, "__upcall_close_frame__", static_cast<int>(handle->dirty),
                             &close_frame, argc, argv);
  }
  const bool is_current = handle->suspended->take_roots(env, argv[1], argv[2]);
  if (!is_current && !handle->suspended->is_enumerated()) return detail::raise_wrong_step(env);
  frame* const closed = std::exchange(handle->suspended, nullptr);
  closed->abandon();
  if (!is_current) {
    abandoned_frames->take(closed);
    return atoms::ok.raw();
  }
  counts.abandoned.fetch_add(1, std::memory_order_relaxed);
  // A nested call that uses what this one holds brings it to the finisher when it ends.
  return closed->postpone_if_nested() ? atoms::ok.raw() : finish_closed(env, closed);
}

UPCALL_RUNTIME ERL_NIF_TERM info(ErlNifEnv* env, int, const ERL_NIF_TERM[]) noexcept {
  const std::pair<const char*, const std::atomic<std::size_t>*> entries[] = {
      {"suspended", &counts.suspended}, {"abandoned", &counts.abandoned},
      {"finishing", &counts.finishing}, {"parked", &counts.parked},
      {"pinned", &counts.pinned},       {"calls", &counts.calls},
      {"waiting", &counts.waiting},     {"lost_casts", &counts.lost_casts},
  };
  ERL_NIF_TERM map = enif_make_new_map(env);
  // Of a library without fibers, until a part that has them says otherwise.
  detail::put_info(env, map, "stacks", enif_make_uint(env, 0));
  detail::put_info(env, map, "max_stacks", enif_make_uint(env, 0));
  detail::put_info(env, map, "light_guards", atoms::false_.raw());
  detail::put_info(env, map, "stack_depths", enif_make_new_map(env));
  detail::put_info(env, map, "measures_stacks", atoms::false_.raw());
  for (const auto& [name, count] : entries) {
    detail::put_info(env, map, name, enif_make_uint64(env, count->load(std::memory_order_relaxed)));
  }
  library_part::add_info_of_all(env, map);
  return map;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
