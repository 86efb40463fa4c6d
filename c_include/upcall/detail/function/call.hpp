#pragma once

#include <erl_nif.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../frame/frame.hpp"
#include "../frame/frame_requests.hpp"
#include "../pinned/pinned_call.hpp"
#include "../term/parts.hpp"
#include "function_root.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Whether a function may return `R`; one without a codec is told of by itself.
template <class R>
consteval bool can_return() {
  if constexpr (std::is_void_v<R> || std::same_as<R, term>) {
    return true;
  } else {
    return !can_decode<R>() || !borrowing<R>;
  }
}

/// Throws, as an Elixir exception, that the function at `index` returned something else than was
/// expected.
[[noreturn]] UPCALL_NOINLINE inline void throw_bad_return(native_call& call, std::uint32_t index,
                                                          const bad_term& failure) {
  call.refuse_returned(index, failure.where(), failure.expected(), failure.got().raw());
  __builtin_unreachable();  // GCC forgets that of a virtual function that it inlines
}

/// The scope in which `Ts` are decoded or encoded.
template <class... Ts>
using codec_scope_of =
    std::conditional_t<(own_throughout<Ts>() && ...), frame::no_codec_scope, frame::codec_scope>;

template <class R>
R decode_outcome(frame& running, ERL_NIF_TERM value) {
  try {
    const codec_scope_of<R> scope(running);
    return detail::decode_returned<R>(running.env(), value);
  } catch (const bad_term& failure) {
    detail::throw_bad_return(running, 0, failure);  // the trampoline knows which it has called
  }
}

template <class... Args>
inline constexpr bool begins_with_number = false;
/// What becomes a number in Elixir. As the first argument of a function it is known without a mark,
/// which would take memory.
template <own_codec First, class... Rest>
requires codec<First>::is_number inline constexpr bool begins_with_number<First, Rest...> = true;

template <class... Args>
UPCALL_ALWAYS_INLINE ERL_NIF_TERM make_request(frame& running, const Args&... args) {
  ErlNifEnv* env = running.env();
  const codec_scope_of<Args...> scope(running);
  // The token is taken last: what was borrowed before it is stale.
  const std::array<ERL_NIF_TERM, sizeof...(Args)> raw = detail::encode_arguments(env, args...);
  if constexpr (begins_with_number<Args...> && sizeof...(Args) <= 2) {
    if (running.take_for_token(raw[0], std::get<0>(std::tie(args...)))) [[likely]] {
      if constexpr (sizeof...(Args) == 1) return raw[0];
      if constexpr (sizeof...(Args) == 2) return detail::make_tuple(env, raw[0], raw[1]);
    }
  }
  const ERL_NIF_TERM token = running.next_token();
  if constexpr (sizeof...(Args) == 1) {
    return enif_make_list_cell(env, token, raw[0]);
  } else if constexpr (sizeof...(Args) == 2) {
    return detail::make_tuple(env, token, raw[0], raw[1]);
  } else {
    return detail::make_tuple(
        env, atoms::apply.raw(), token,
        enif_make_list_from_array(env, raw.data(), static_cast<unsigned>(raw.size())));
  }
}

// A call is three parts, of which only the switch is inlined into the caller: a return that crosses
// a switch is predicted wrongly, and the less there is to inline, the further up compilers inline
// it.

/// Makes the request for a call of `called`, and gives the frame that must be left for it; null for
/// a function of a pinned call.
template <class... Args>
UPCALL_NOINLINE frame* begin_call(const function_root& called, const Args&... args) {
  frame* const running = called.owner();
  if (running == nullptr) return nullptr;
  running->select(called.index());
  running->set_request(detail::make_request(*running, args...));
  return running;
}

/// Gives what the function returned, or throws what it did instead.
template <class R>
UPCALL_NOINLINE R end_call(frame& running) {
  return detail::decode_outcome<R>(running, running.take_outcome());
}

/// Asks the process of a pinned call for what `make_request(env)` says, about the function at
/// `index`, and gives the value as an `R`.
template <class R, class MakeRequest>
R ask_pinned(pinned_call& call, std::uint32_t index, const MakeRequest& make_request) {
  pinned_request request;
  try {
    request.what = make_request(request.env->get());
  } catch (codec_error& failure) {
    failure.name(call.nif());  // a thread that the body has started does not know
    throw;
  }
  const ERL_NIF_TERM value = call.ask_for_value(request);
  const current_call_scope scope(call);  // for functions and views among what is decoded
  try {
    return detail::decode_returned<R>(request.env->get(), value);
  } catch (const bad_term& failure) {
    detail::throw_bad_return(call, index, failure);
  }
}

/// Calls a function of a pinned call, from any thread of it.
template <class R, class... Args>
UPCALL_NOINLINE R call_pinned(const function_root& called, const Args&... args) {
  return detail::ask_pinned<R>(called.pinned(), called.index(), [&](ErlNifEnv* env) {
    const std::array<ERL_NIF_TERM, sizeof...(Args)> raw = detail::encode_arguments(env, args...);
    return enif_make_tuple3(
        env, atoms::apply.raw(), enif_make_uint(env, called.index()),
        enif_make_list_from_array(env, raw.data(), static_cast<unsigned>(raw.size())));
  });
}

/// Throws: `error` where no function can have that name.
ERL_NIF_TERM arguments_of_make_fun(ErlNifEnv* env, const char* module, const char* function,
                                   int arity);

/// Makes the function `module:function/arity` a root.
function_root capture(const char* module, const char* function, int arity);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "call.ipp"  // IWYU pragma: export
#endif
