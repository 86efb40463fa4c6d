#pragma once

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

#include "detail/function/c_scope.hpp"

namespace upcall UPCALL_HIDDEN {

/// Stands for the `void*` in a C signature that a library hands back to its callback.
struct user_data {};

/// Makes a C function pointer and a `void*` of a C++ callable, for a C library to call. No
/// exception crosses the library: the callback catches it and answers with `on_error`, as do all
/// that follow, and `through_c` throws it again when the library has returned. So that it does
/// return is up to the answer; meanwhile others run at each question, as at an upcall.
///
///     upcall::c_callback<int(upcall::user_data, int, char**, char**)> each_row(
///         1, [&](int, char** values, char**) { return on_row(values[0]) ? 0 : 1; });
///     upcall::through_c(
///         [&] { sqlite3_exec(db, sql, each_row.function(), each_row.data(), nullptr); });
///
/// Where the signature has no `user_data`, `DataOf` finds it from the first argument:
/// `upcall::c_callback<void(sqlite3_context*, int, sqlite3_value**), &sqlite3_user_data>`.
///
/// Where C can handle a failure, as an interpreter does, let `on_error` take it: each failure is
/// given to it, and no more is made of it. The next question is asked as ever.
///
///     upcall::c_callback<int(script*), &callback_of> call(
///         [](const std::exception_ptr& failure, script* s) { return push_message(s, failure), -1;
///         },
///         [&](script* s) { return push(s, f(argument(s))), 1; });
///
/// No `longjmp` may cross it: let the C function that called it jump, when it has returned.
///
/// Threads: the callback runs where the library calls it; in a frame's own thread it may make
/// upcalls.
template <class Signature, auto DataOf = nullptr>
class c_callback;

template <class R, class... Parameters, auto DataOf>
class c_callback<R(Parameters...), DataOf> {
  template <class P>
  using raw = std::conditional_t<std::is_same_v<P, user_data>, void*, P>;
  using passed = detail::without_t<user_data, Parameters...>;
  using answer = detail::answer_of<R, passed>;

 public:
  /// Answers with the value `on_error`, or with what `on_error(arguments…)` gives, once `callable`
  /// has thrown; with what `on_error(failure, arguments…)` gives each time that it throws, where
  /// `on_error` takes a `std::exception_ptr` first. `callable` takes the arguments without the
  /// `user_data`.
  template <class OnError, class Callable>
  c_callback(OnError on_error, Callable callable)
      : m_callable(std::move(callable)),
        m_answer(answer::make(std::move(on_error))),
        m_remembers(!answer::template handles<OnError>) {}
  /// Answers with nothing, where C expects nothing.
  template <class Callable>
  requires std::is_void_v<R>
  explicit c_callback(Callable callable) : c_callback([](const auto&...) {}, std::move(callable)) {}

  // The library holds this object's address.
  c_callback(const c_callback&) = delete;
  c_callback& operator=(const c_callback&) = delete;
  ~c_callback() = default;

  using pointer = R (*)(raw<Parameters>...);
  /// Gives what C calls.
  [[nodiscard]] pointer function() const noexcept { return &call; }
  /// Gives what C passes as `user_data`: this object, which must outlive C's use of it.
  [[nodiscard]] void* data() noexcept { return this; }

  /// Gives what was caught where no native call of Upcall was running, else null.
  [[nodiscard]] std::exception_ptr failure() const noexcept { return m_failure; }

 private:
  static R call(raw<Parameters>... arguments) noexcept {
    auto* const self = static_cast<c_callback*>(find_data(arguments...));
    const auto given = detail::without_user_data<user_data, Parameters...>(arguments...);
    std::exception_ptr own;
    std::exception_ptr& failure = self->m_remembers ? detail::c_failure_or(self->m_failure) : own;
    if (failure) {
      detail::bear_question(failure);
    } else {
      try {
        return std::apply(self->m_callable, given);
      } catch (...) {
        failure = std::current_exception();
      }
      if (self->m_remembers) {
        detail::note_c_failure();
      } else {
        detail::bear_handled();
      }
    }
    return std::apply(self->m_answer, std::tuple_cat(std::tie(failure), given));
  }

  static void* find_data(raw<Parameters>... arguments) noexcept {
    if constexpr (std::is_null_pointer_v<decltype(DataOf)>) {
      static_assert((std::is_same_v<Parameters, user_data> || ...),
                    "name the void* of the signature upcall::user_data, or give DataOf");
      void* found = nullptr;
      ((std::is_same_v<Parameters, user_data> ? found = detail::as_data(arguments) : nullptr), ...);
      return found;
    } else {
      return DataOf(std::get<0>(std::tie(arguments...)));
    }
  }

  detail::callable_t<R, passed> m_callable;
  typename answer::type m_answer;
  bool m_remembers;  // a failure, until C has returned
  std::exception_ptr m_failure;
};

/// Calls into a C library whose callbacks may fail, and throws what the first of them caught, once
/// C has returned. Gives what `call` gives. Threads: the frame's own. Throws: what a `c_callback`
/// caught.
template <class Call>
decltype(auto) through_c(Call&& call) {
  detail::c_scope scope;
  if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
    std::forward<Call>(call)();
    scope.rethrow();
  } else {
    decltype(auto) value = std::forward<Call>(call)();
    scope.rethrow();
    return value;
  }
}

}  // namespace UPCALL_HIDDEN
