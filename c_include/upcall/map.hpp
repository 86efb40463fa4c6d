#pragma once

#include <erl_nif.h>

#include <ranges>
#include <type_traits>
#include <vector>

#include "detail/executor/remote_call.hpp"
#include "detail/function/call.hpp"
#include "detail/term/parts.hpp"
#include "executor_function.hpp"
#include "function.hpp"
#include "stl.hpp"  // IWYU pragma: export

namespace upcall UPCALL_HIDDEN {

namespace detail {

template <class Argument, class Range>
ERL_NIF_TERM encode_range(ErlNifEnv* env, const Range& range) {
  const encoding_scope scope;
  std::vector<ERL_NIF_TERM> raw;
  if constexpr (std::ranges::sized_range<const Range>) raw.reserve(std::ranges::size(range));
  for (const auto& each : range) {
    raw.push_back(detail::encode_whole<std::remove_cvref_t<Argument>>(
        env, each, [&] { return place_of_element(raw.size() + 1) + " of the range"; }));
  }
  return enif_make_list_from_array(env, raw.data(), static_cast<unsigned>(raw.size()));
}

}  // namespace detail

/// Calls `f` for each element of a range, in order, by one message there and one back. Gives a
/// `std::vector` of what it returned.
/// Threads and Throws: as a call of `f`; the first that fails ends it.
template <class Result, class Argument, class Range>
auto map(const executor_function<Result(Argument)>& f, const Range& range) {
  const detail::waiting_place place;
  detail::sending_env message(nullptr);
  ErlNifEnv* const env = message.get();
  const ERL_NIF_TERM arguments =
      enif_make_list2(env, detail::encode_range<Argument>(env, range), f.function().copy_to(env));
  const detail::job work{
      enif_make_tuple2(env, detail::atoms::enum_.raw(), detail::atoms::map.raw()), arguments};
  return detail::run_on<std::vector<Result>>(nullptr, place, message, f.m_executor, work,
                                             f.m_options.timeout)
      .take();
}

/// Calls `f` for each element of a range, in order, by one suspension of the frame, or one request
/// of a pinned call.
/// Threads and Throws: as a call of `f`; the first that fails ends it.
template <class Result, class Argument, class Range>
auto map(const function<Result(Argument)>& f, const Range& range) {
  if (f.m_root.owner() == nullptr) {
    return detail::ask_pinned<std::vector<Result>>(
        f.m_root.pinned(), f.m_root.index(), [&](ErlNifEnv* own) {
          return enif_make_tuple3(own, detail::atoms::map.raw(),
                                  enif_make_uint(own, f.m_root.index()),
                                  detail::encode_range<Argument>(own, range));
        });
  }
  detail::frame& running = *f.m_root.owner();
  running.select(f.m_root.index());  // for the message when it returns the wrong type
  const detail::named_answer answer = running.call_named("Elixir.Enum", "map", [&](ErlNifEnv* env) {
    const ERL_NIF_TERM list = detail::encode_range<Argument>(env, range);
    return enif_make_list2(env, list, f.as_term().raw());
  });
  return detail::decode_outcome<std::vector<Result>>(running, answer.value);
}

}  // namespace UPCALL_HIDDEN
