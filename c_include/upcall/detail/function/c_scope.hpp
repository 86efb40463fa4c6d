#pragma once

#include <exception>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "../frame/frame.hpp"
#include "../frame/frame_requests.hpp"
#include "../pinned/pinned_call.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where C callbacks on the calling thread leave what they catch: its frame has a place of its own.
inline std::exception_ptr*& c_failure_place() noexcept {
  frame* const running = current_frame();
  return running != nullptr ? running->failures_of_c().place() : this_thread_calls().c_failure;
}

/// Where the callbacks of one call into C leave what they catch. Its ends may be on two threads.
class c_scope {
 public:
  c_scope() noexcept : m_outer(std::exchange(c_failure_place(), &m_caught)) {}
  c_scope(const c_scope&) = delete;
  c_scope& operator=(const c_scope&) = delete;
  ~c_scope() { c_failure_place() = m_outer; }

  void rethrow() {
    if (m_caught) std::rethrow_exception(std::exchange(m_caught, nullptr));
  }

 private:
  std::exception_ptr* m_outer;
  std::exception_ptr m_caught;
};

inline std::exception_ptr& c_failure_or(std::exception_ptr& otherwise) noexcept {
  std::exception_ptr* const place = c_failure_place();
  return place == nullptr ? otherwise : *place;
}

/// Notes that a callback has failed, and that C is about to be told.
inline void note_c_failure() noexcept {
  if (native_call* const running = current_call()) running->note_failure();
}

/// C asks on, after `failure`: lets others run, and in the end leaves C that does not return.
UPCALL_COLD inline void bear_question(std::exception_ptr& failure) noexcept {
  detail::with_call_of_thread([&](native_call& running) { running.bear_question(failure); });
}

/// A callback has failed that C can handle: lets others run, as that may be a loop.
UPCALL_COLD inline void bear_handled() noexcept {
  if (native_call* const running = current_call()) running->let_others_run();
}

template <class R, class Arguments>
struct callable;
template <class R, class... Arguments>
struct callable<R, std::tuple<Arguments...>> {
  using type = std::function<R(Arguments...)>;
};
template <class R, class Arguments>
using callable_t = typename callable<R, Arguments>::type;

template <class Excluded, class... Ts>
using without_t = decltype(std::tuple_cat(
    std::declval<
        std::conditional_t<std::is_same_v<Ts, Excluded>, std::tuple<>, std::tuple<Ts>>>()...));

template <class Excluded, class Parameter, class Argument>
auto keep_unless(Argument& argument) {
  if constexpr (std::is_same_v<Parameter, Excluded>) {
    return std::tuple<>();
  } else {
    return std::tuple<Parameter>(argument);
  }
}

template <class Excluded, class... Parameters, class... Arguments>
auto without_user_data(Arguments&... arguments) {
  return std::tuple_cat(keep_unless<Excluded, Parameters>(arguments)...);
}

template <class T>
void* as_data(T value) noexcept {
  if constexpr (std::is_same_v<T, void*>) {
    return value;
  } else {
    return nullptr;
  }
}

/// What a C callback answers with when it has failed, of the failure and of the arguments.
template <class R, class Arguments>
struct answer_of;
template <class R, class... Arguments>
struct answer_of<R, std::tuple<Arguments...>> {
  using type = std::function<R(const std::exception_ptr&, Arguments...)>;

  template <class OnError>
  using takes_arguments = std::is_invocable_r<R, OnError&, Arguments...>;
  /// Whether `OnError` is given each failure, to handle it: it can't be called without.
  template <class OnError>
  static constexpr bool handles =
      std::conjunction_v<std::negation<takes_arguments<OnError>>,
                         std::is_invocable_r<R, OnError&, const std::exception_ptr&, Arguments...>>;

  template <class OnError>
  static type make(OnError on_error) {
    if constexpr (handles<OnError>) {
      return on_error;
    } else if constexpr (takes_arguments<OnError>::value) {
      return [on_error = std::move(on_error)](const std::exception_ptr&,
                                              Arguments... arguments) mutable -> R {
        return on_error(arguments...);
      };
    } else {
      return [on_error](const std::exception_ptr&, const auto&...) -> R { return on_error; };
    }
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
