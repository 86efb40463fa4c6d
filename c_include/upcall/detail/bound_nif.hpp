#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../resource.hpp"
#include "call_bound.hpp"
#include "fiber_frame.hpp"
#include "frame.hpp"
#include "pinned_body.hpp"
#include "signature.hpp"
#include "table_name.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a NIF's options come to.
struct nif_options {
  unsigned dirty = 0;  ///< erl_nif's flag for the scheduler its steps run on
  std::size_t stack_size = std::size_t{256} * 1024;
  bool pinned = false;  ///< on an OS thread of its own
};

/// The whole of a native call on a fiber.
template <auto Function, class Parameters>
void run_bound(frame& running, const ERL_NIF_TERM* raw) {
  auto arguments = [&] {
    const frame::codec_scope scope(running);
    return argument_list<Parameters>::decode(running.env(), raw);
  }();
  call_bound<Function>(std::type_identity<Parameters>{}, arguments, [&](const auto& make) {
    if (running.is_abandoned()) return;
    const frame::codec_scope scope(running);
    running.set_result(enif_make_tuple2(running.env(), atoms::return_.raw(), make(running.env())));
  });
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

  static_assert(!Options.pinned || Options.dirty == 0,
                "a pinned NIF runs on a thread of its own, and so on no dirty scheduler");

  static ERL_NIF_TERM call(ErlNifEnv* env, int, const ERL_NIF_TERM raw[]) noexcept {
    constexpr nif_identity nif{Name.plain, arity, Options.dirty};
    if constexpr (Options.pinned) {
      return start_pinned<Function, parameters>(env, nif, raw);
    } else {
      return start_fiber_frame<&run_bound<Function, parameters>>(
          env, nif, stack_pool::class_of(Options.stack_size), raw);
    }
  }

  static constexpr ErlNifFunc entry{Name.marked, static_cast<unsigned>(arity), &call,
                                    Options.dirty};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
