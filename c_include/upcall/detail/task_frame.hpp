#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../codec.hpp"
#include "../resource.hpp"
#include "../task.hpp"
#include "bound_nif.hpp"
#include "call_bound.hpp"
#include "coroutine_frame.hpp"
#include "exception_replies.hpp"
#include "this_thread.hpp"
#include "waits_in.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A native call whose body is an `upcall::task<R>`.
template <class R>
class task_frame final : public coroutine_frame {
 public:
  task_frame(step& first, nif_identity nif, thread_frames& here,
             const ERL_NIF_TERM* arguments) noexcept
      : coroutine_frame(first, nif, here), m_arguments(arguments) {}
  task_frame(const task_frame&) = delete;
  task_frame& operator=(const task_frame&) = delete;
  ~task_frame() {
    m_body.reset();
    let_go();
  }

  /// The first step: decodes the arguments and begins the body.
  template <auto Function, class Parameters>
  static void begin(coroutine_frame& running) {
    auto& self = static_cast<task_frame&>(running);
    try {
      self.m_body.emplace(self.template call<Function>(std::type_identity<Parameters>{}));
      self.m_body->m_promise->owner = &self.m_body->m_owner;
      self.set_body(*self.m_body->m_promise);
    } catch (...) {
      self.run([] { throw; });
      delete &self;
      return;
    }
    self.run_body();
  }

 private:
  template <auto Function, class... Parameters>
  task<R> call(std::type_identity<std::tuple<Parameters...>> /*parameters*/) {
    auto decoded = [this] {
      const codec_scope scope(*this);
      return argument_list<std::tuple<Parameters...>>::decode(env(), m_arguments);
    }();
    return std::apply(
        [](auto&... each) -> task<R> {
          if constexpr (std::is_member_function_pointer_v<decltype(Function)>) {
            return call_member<Function>(std::move(each)...);
          } else {
            return Function(std::move(each)...);
          }
        },
        decoded);
  }

  /// Keeps the object for as long as its function runs.
  template <auto Function, class Object, class... Arguments>
  static task<R> call_member(Object object, Arguments... arguments) {
    co_return co_await std::invoke(Function, object, std::move(arguments)...);
  }

  void end_body() noexcept override {
    run([this] {
      if constexpr (std::is_void_v<R>) {
        m_body->m_promise->take();
        give(atoms::ok.raw());
      } else {
        const R value = m_body->m_promise->take();
        const codec_scope scope(*this);
        give(encode<R>(env(), value));
      }
    });
    delete this;
  }
  void give(ERL_NIF_TERM value) noexcept {
    set_result(enif_make_tuple2(env(), atoms::return_.raw(), value));
  }
  void destroy() noexcept override { delete this; }

  const ERL_NIF_TERM* m_arguments;  // of the NIF: gone after the first step
  std::optional<task<R>> m_body;
};

template <class R>
inline constexpr bool is_coroutine<task<R>> = true;

/// A coroutine runs where it is called, a step at a time.
template <auto Function, class Parameters, nif_options Options>
struct nif_body<Function, Parameters, Options, coroutine_body> {
  template <class R>
  static task_frame<R> frame_of(std::type_identity<task<R>>);
  using result = typename signature<std::remove_cv_t<decltype(Function)>>::result;
  using made = decltype(frame_of(std::type_identity<result>{}));

  template <class... Ps>
  static consteval void check(std::type_identity<std::tuple<Ps...>>) {
    static_assert((!std::is_reference_v<Ps> && ...),
                  "a coroutine goes on after the call that made it: take its parameters by value, "
                  "where a reference would dangle");
    static_assert((!waits_in<std::remove_cv_t<Ps>, body_kind::fiber>() && ...),
                  "a coroutine can't wait for an upcall::function (or a std::function): take an "
                  "upcall::async_function, and co_await it");
  }

  static ERL_NIF_TERM start(ErlNifEnv* env, nif_identity nif, const ERL_NIF_TERM* raw) noexcept {
    check(std::type_identity<Parameters>{});
    step first{env, 0};
    thread_frames& here = this_thread_frames();
    auto* const running = new (std::nothrow) made(first, nif, here, raw);
    if (running == nullptr) return system_limit_reply(env);
    running->template start<&made::template begin<Function, Parameters>>();
    here.current = nullptr;
    return first.reply;
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
