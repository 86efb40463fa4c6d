#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <cstddef>

#include "../base/config.hpp"
#include "../frame/frame.hpp"
#include "chunk.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME void chunk_base::begin_next(ErlNifEnv* env, std::size_t taken) noexcept {
  const ErlNifTime took = m_growth.add(taken);
  // What computes long is the process's own work, of which the scheduler is to know.
  constexpr ErlNifTime timeslice = 1000;
  if (took >= timeslice / 100)
    enif_consume_timeslice(env,
                           static_cast<int>(std::min<ErlNifTime>(100 * took / timeslice, 100)));
}

UPCALL_RUNTIME ERL_NIF_TERM generate_request(frame& running,
                                             const ERL_NIF_TERM* arguments) noexcept {
  const ERL_NIF_TERM list = enif_make_list_from_array(running.env(), arguments,
                                                      static_cast<unsigned>(running.nif().arity));
  return detail::make_tuple(running.env(), atoms::generate.raw(), running.next_token(), list);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
