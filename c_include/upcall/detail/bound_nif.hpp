#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../codec.hpp"
#include "../resource.hpp"
#include "fiber_frame.hpp"
#include "frame.hpp"
#include "signature.hpp"
#include "table_name.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a NIF's options come to.
struct nif_options {
  unsigned dirty = 0;  ///< erl_nif's flag for the scheduler its steps run on
  std::size_t stack_size = std::size_t{256} * 1024;
};

/// Where a decoded argument is kept while the body runs.
template <class Parameter>
using stored = std::remove_cvref_t<Parameter>;

template <class T, std::size_t Position>
T decode_argument(frame& running, const ERL_NIF_TERM* raw) {
  try {
    return decode<T>(running.env(), raw[Position]);
  } catch (bad_term& failure) {
    failure.within("argument " + std::to_string(Position + 1));
    throw;
  }
}

template <auto Function, class Parameters, std::size_t... Positions>
void run_bound(frame& running, const ERL_NIF_TERM* raw, std::type_identity<Parameters>,
               std::index_sequence<Positions...>) {
  using result = typename signature<std::remove_cv_t<decltype(Function)>>::result;
  // Braces: arguments are decoded, and complained about, from left to right.
  std::tuple<stored<std::tuple_element_t<Positions, Parameters>>...> arguments = [&] {
    const frame::codec_scope scope(running);
    return std::tuple<stored<std::tuple_element_t<Positions, Parameters>>...>{
        decode_argument<stored<std::tuple_element_t<Positions, Parameters>>, Positions>(running,
                                                                                        raw)...};
  }();
  const auto call = [&]() -> result {
    return std::invoke(Function, static_cast<std::tuple_element_t<Positions, Parameters>&&>(
                                     std::get<Positions>(arguments))...);
  };
  const auto reply = [&](auto&& make) {
    if (running.is_abandoned()) return;
    const frame::codec_scope scope(running);
    running.set_result(enif_make_tuple2(running.env(), atoms::return_.raw(), make()));
  };
  if constexpr (std::is_void_v<result>) {
    call();
    reply([] { return atoms::ok.raw(); });
  } else {
    decltype(auto) value = call();
    reply([&] { return encode<std::remove_cvref_t<result>>(running.env(), value); });
  }
}

/// The C function behind a bound one. A member function takes its object, as a resource, first.
template <auto Function, nif_options Options, table_name Name>
struct bound_nif {
  using function_signature = signature<std::remove_cv_t<decltype(Function)>>;

  template <class Signature>
  struct parameters_of {
    using type = typename Signature::arguments;
  };
  template <class Signature>
  requires requires { typename Signature::object; }
  struct parameters_of<Signature> {
    using type =
        decltype(std::tuple_cat(std::declval<std::tuple<resource<typename Signature::object>>>(),
                                std::declval<typename Signature::arguments>()));
  };
  using parameters = typename parameters_of<function_signature>::type;
  static constexpr int arity = static_cast<int>(std::tuple_size_v<parameters>);

  static void body(frame& running, const ERL_NIF_TERM* raw) {
    run_bound<Function>(running, raw, std::type_identity<parameters>{},
                        std::make_index_sequence<std::size_t{arity}>{});
  }

  static ERL_NIF_TERM call(ErlNifEnv* env, int, const ERL_NIF_TERM raw[]) noexcept {
    return start_fiber_frame<&body>(env, {Name.plain, arity, Options.dirty},
                                    stack_pool::class_of(Options.stack_size), raw);
  }

  static constexpr ErlNifFunc entry{Name.marked, static_cast<unsigned>(arity), &call,
                                    Options.dirty};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
