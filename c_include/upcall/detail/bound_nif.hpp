#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../codec.hpp"
#include "../resource.hpp"
#include "fiber_frame.hpp"
#include "frame.hpp"
#include "pinned_requests.hpp"
#include "pinned_threads.hpp"
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

/// Where a decoded argument is kept while the body runs.
template <class Parameter>
using stored = std::remove_cvref_t<Parameter>;

template <class T, std::size_t Position>
T decode_argument(ErlNifEnv* env, const ERL_NIF_TERM* raw) {
  try {
    return decode<T>(env, raw[Position]);
  } catch (bad_term& failure) {
    failure.within("argument " + std::to_string(Position + 1));
    throw;
  }
}

template <class Parameters>
struct argument_list;
/// The decoded arguments of a native call.
template <class... Parameters>
struct argument_list<std::tuple<Parameters...>> {
  using type = std::tuple<stored<Parameters>...>;

  static type decode(ErlNifEnv* env, const ERL_NIF_TERM* raw) {
    return [&]<std::size_t... Positions>(std::index_sequence<Positions...>) {
      // Braces: arguments are decoded, and complained about, from left to right.
      return type{decode_argument<stored<Parameters>, Positions>(env, raw)...};
    }
    (std::index_sequence_for<Parameters...>{});
  }
};

/// Calls the C++ function with its arguments, and `reply(make)`, where `make(env)` makes the term
/// of what it gave.
template <auto Function, class... Parameters, class Reply>
void call_bound(std::type_identity<std::tuple<Parameters...>>,
                typename argument_list<std::tuple<Parameters...>>::type& arguments,
                const Reply& reply) {
  using result = typename signature<std::remove_cv_t<decltype(Function)>>::result;
  const auto call = [&]() -> result {
    return std::apply(
        [](auto&... each) -> result {
          return std::invoke(Function, static_cast<Parameters&&>(each)...);
        },
        arguments);
  };
  if constexpr (std::is_void_v<result>) {
    call();
    reply([](ErlNifEnv*) { return atoms::ok.raw(); });
  } else {
    decltype(auto) value = call();
    reply([&](ErlNifEnv* env) { return encode<std::remove_cvref_t<result>>(env, value); });
  }
}

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

/// The whole of a native call on a thread of its own.
template <auto Function, class Parameters>
class pinned_body final : public pinned_call {
 public:
  using pinned_call::pinned_call;

  /// Threads: the process's, while the call starts.
  void decode(ErlNifEnv* env, const ERL_NIF_TERM* raw) {
    m_arguments.emplace(argument_list<Parameters>::decode(env, raw));
  }
  void drop_arguments() noexcept { m_arguments.reset(); }

  void run() noexcept override {
    const pinned_scope here(*this);
    std::exception_ptr unscoped;
    this_thread_frames().c_failure = &unscoped;
    ERL_NIF_TERM result = 0;
    try {
      call_bound<Function>(std::type_identity<Parameters>{}, *m_arguments, [&](const auto& make) {
        result = enif_make_tuple2(env(), atoms::return_.raw(), make(env()));
      });
      if (unscoped) std::rethrow_exception(std::exchange(unscoped, nullptr));
    } catch (...) {
      result = reply_of_current_exception(env(), nif());
    }
    // What it destroys may make upcalls. Its functions hold this call: without this, for ever.
    drop_arguments();
    this_thread_frames().c_failure = nullptr;
    finish(result);
  }

 private:
  std::optional<typename argument_list<Parameters>::type> m_arguments;
};

/// Decodes the arguments and hands the call to a thread: `{:pinned, call, roots}`.
template <auto Function, class Parameters>
ERL_NIF_TERM start_pinned(ErlNifEnv* env, nif_identity nif, const ERL_NIF_TERM* raw) noexcept {
  const auto call = std::make_shared<pinned_body<Function, Parameters>>(env, nif);
  {
    const pinned_scope scope(*call);
    try {
      call->decode(env, raw);
    } catch (...) {
      return reply_of_current_exception(env, nif);
    }
  }
  void* const place = enif_alloc_resource(pinned_handle_type.type(), sizeof(pinned_handle));
  std::construct_at(static_cast<pinned_handle*>(place), call);
  const ERL_NIF_TERM handle = enif_make_resource(env, place);
  enif_release_resource(place);
  const ERL_NIF_TERM roots = call->take_roots(env);
  if (!pinned_bodies->run(call)) {
    call->drop_arguments();
    return system_limit_reply(env);
  }
  return enif_make_tuple3(env, atoms::pinned.raw(), handle, roots);
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
