#pragma once

#include <erl_nif.h>

#include "../frame/frame.hpp"
#include "../frame/frame_requests.hpp"
#include "sequence_base.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM sequence_base::request(frame& running) {
  const ERL_NIF_TERM rest = m_rest->in(running);
  const char* const function = m_state == state::not_begun ? "start" : "next";
  const ERL_NIF_TERM made = detail::mfa_request(
      running, "Elixir.Upcall.Sequence", function,
      enif_make_list2(running.env(), rest, enif_make_uint64(running.env(), m_growth.next())));
  // An enumeration that raises has ended. To halt it would be to clean up a second time.
  end();
  m_growth.begin();
  return made;
}

UPCALL_RUNTIME ERL_NIF_TERM sequence_base::take_answer(frame& running, ERL_NIF_TERM answer) {
  int arity = 0;
  const ERL_NIF_TERM* parts = nullptr;
  if (!enif_get_tuple(running.env(), answer, &arity, &parts) || arity != 2) {
    end();
    return answer;
  }
  keep_rest(running, parts[1], state::begun);
  return parts[0];
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
