#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../owned_env.hpp"
#include "frame.hpp"
#include "frame_requests.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM yield_request(frame& running) noexcept {
  return detail::make_tuple(running.env(), atoms::yield.raw(), running.next_token());
}

UPCALL_RUNTIME ERL_NIF_TERM mfa_request(frame& running, const char* module, const char* function,
                                        ERL_NIF_TERM args) {
  ErlNifEnv* const env = running.env();
  return enif_make_tuple5(env, atoms::mfa.raw(), running.next_token(),
                          detail::make_atom(env, module), detail::make_atom(env, function), args);
}

UPCALL_RUNTIME ERL_NIF_TERM wait_request(frame& running, clock::time_point until) noexcept {
  ErlNifEnv* const env = running.env();
  ERL_NIF_TERM timeout = atoms::infinity.raw();
  if (until != no_deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();  // of a `receive`
    timeout = enif_make_int64(env, std::clamp<std::int64_t>(left.count(), 0, longest));
  }
  return detail::make_tuple(env, atoms::wait.raw(), running.next_token(), timeout);
}

UPCALL_RUNTIME ERL_NIF_TERM bad_return_request(frame& running, std::string_view where,
                                               std::string_view expected, ERL_NIF_TERM got) {
  ErlNifEnv* const env = running.env();
  const nif_identity nif = running.nif();
  return enif_make_tuple7(env, atoms::bad_return.raw(), running.next_token(),
                          detail::make_text(env, nif.name), enif_make_int(env, nif.arity),
                          detail::make_text(env, where), detail::make_text(env, expected), got);
}

UPCALL_RUNTIME void throw_unexpected(std::string_view expected) {
  raise("Elixir.ArgumentError", "expected " + std::string(expected));
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
