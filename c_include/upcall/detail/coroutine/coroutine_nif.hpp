#pragma once

#include <erl_nif.h>

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../../codec.hpp"
#include "../call/this_thread.hpp"
#include "../nif/bound_nif.hpp"
#include "../nif/call_bound.hpp"
#include "../nif/parameters.hpp"
#include "../term/exception_replies.hpp"
#include "coroutine_frame.hpp"

namespace upcall UPCALL_HIDDEN {

template <class R>
class task;
template <class T>
class generator;

namespace detail {

/// A native call whose body is what a C++ function returned: a `Body`.
template <class Body>
class coroutine_nif : public coroutine_frame {
 public:
  coroutine_nif(step& first, nif_identity nif, thread_calls& here,
                const ERL_NIF_TERM* arguments) noexcept
      : coroutine_frame(first, nif, here), m_arguments(arguments) {}
  coroutine_nif(const coroutine_nif&) = delete;
  coroutine_nif& operator=(const coroutine_nif&) = delete;

  /// The first step: decodes the arguments and begins the body.
  template <auto Function, class Parameters>
  static void begin(coroutine_frame& running) {
    auto& self = static_cast<coroutine_nif&>(running);
    try {
      self.m_body.emplace(self.template call<Function>(std::type_identity<Parameters>{}));
      if (self.m_body->m_owner.promise() == nullptr)
        raise("Elixir.RuntimeError", "this native call returned a coroutine that was moved from");
      self.m_body->m_promise->owner = &self.m_body->m_owner;
      self.set_body(*self.m_body->m_promise);
      self.begin_body();
    } catch (...) {
      self.run([] { throw; });
      self.destroy();
    }
  }

 protected:
  ~coroutine_nif() {
    m_body.reset();
    let_go();
  }

  /// Runs the body, or says that it is ready to run. Throws: where it was not run.
  virtual void begin_body() = 0;

  /// Gives those of the NIF, in the first step.
  [[nodiscard]] const ERL_NIF_TERM* arguments() const noexcept { return m_arguments; }
  [[nodiscard]] auto& promise() noexcept { return *m_body->m_promise; }
  /// Ends the call with what `make_result` gives. Before the frame says so, the body is destroyed:
  /// its objects may have something to say, too.
  template <class MakeResult>
  void end_with(const MakeResult& make_result) noexcept {
    run([&] {
      const body_end after{m_body};
      const ERL_NIF_TERM value = make_result();
      set_result(detail::make_tuple(env(), atoms::return_.raw(), value));
    });
    destroy();
  }

 private:
  struct body_end {
    std::optional<Body>& body;
    ~body_end() { body.reset(); }
  };

  template <auto Function, class... Parameters>
  Body call(std::type_identity<std::tuple<Parameters...>> /*parameters*/) {
    auto decoded = [this] {
      const codec_scope scope(*this);
      return argument_list<std::tuple<Parameters...>>::decode(env(), m_arguments);
    }();
    if constexpr (std::is_member_function_pointer_v<decltype(Function)>) {
      // The object of a member function is kept as long as that runs.
      using object = std::tuple_element_t<0, decltype(decoded)>;
      m_object = std::make_shared<const object>(std::get<0>(decoded));
    }
    return std::apply(
        [](auto&... each) -> Body { return std::invoke(Function, std::move(each)...); }, decoded);
  }

  const ERL_NIF_TERM* m_arguments;  // of the NIF: gone after the first step
  std::shared_ptr<const void> m_object;
  std::optional<Body> m_body;
};

/// The frame of a body, by the type that the C++ function returns.
template <class Body>
struct coroutine_nif_of;

template <class Body>
requires requires { typename coroutine_nif_of<Body>::type; }
inline constexpr bool is_coroutine<Body> = true;

/// A coroutine runs where it is called, a step at a time.
template <auto Function, class Parameters, auto Options>
struct nif_body<Function, Parameters, Options, coroutine_body> {
  using body = typename signature<std::remove_cv_t<decltype(Function)>>::result;
  using made = typename coroutine_nif_of<body>::type;

  template <class... Ps>
  static consteval void check(std::type_identity<std::tuple<Ps...>>) {
    static_assert((!std::is_reference_v<Ps> && ...),
                  "a coroutine goes on after the call that made it: take its parameters by value, "
                  "where a reference would dangle");
    static_assert((!waits_in<std::remove_cv_t<Ps>, body_kind::fiber>() && ...),
                  "a coroutine can't wait for an upcall::function (or a std::function): take an "
                  "upcall::async_function, and co_await it");
    static_assert(Options.stack_size == 0,
                  "a coroutine has no stack of its own: drop upcall::stack_size");
    static_assert(!Options.is_yielding,
                  "upcall::yields is for NIFs on fibers: a coroutine that yields values returns an "
                  "upcall::generator");
  }

  static ERL_NIF_TERM start(ErlNifEnv* env, nif_identity nif, const ERL_NIF_TERM* raw) noexcept {
    check(std::type_identity<Parameters>{});
    step first{env, 0};
    thread_calls& here = this_thread_calls();
    auto* const running = new (std::nothrow) made(first, nif, here, raw);
    if (running == nullptr) return detail::system_limit_reply(env);
    running->template start<&made::template begin<Function, Parameters>>();
    here.current = nullptr;
    return first.reply;
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
