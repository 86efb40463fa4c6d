#pragma once

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

#include "detail/c_scope.hpp"

namespace upcall UPCALL_HIDDEN {

/// Stands for the `void*` in a C signature that a library hands back to its callback.
struct user_data {};

/// Makes a C function pointer and a `void*` of a C++ callable, for a C library to call. No
/// exception crosses the library: the callback catches it and answers with `on_error`, as do all
/// that follow, and `through_c` throws it again when the library has returned.
///
///     upcall::c_callback<int(upcall::user_data, int, char**, char**)> each_row(
///         1, [&](int, char** values, char**) { return on_row(values[0]) ? 0 : 1; });
///     upcall::through_c(
///         [&] { sqlite3_exec(db, sql, each_row.function(), each_row.data(), nullptr); });
///
/// Where the signature has no `user_data`, `DataOf` finds it from the first argument:
/// `upcall::c_callback<void(sqlite3_context*, int, sqlite3_value**), &sqlite3_user_data>`.
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

 public:
  /// Answers with the value `on_error`, or with what `on_error(arguments…)` gives, once `callable`
  /// has thrown. `callable` takes the arguments without the `user_data`.
  template <class OnError, class Callable>
  c_callback(OnError on_error, Callable callable)
      : m_callable(std::move(callable)),
        m_on_error(detail::answer<R, passed>(std::move(on_error))) {}
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
    std::exception_ptr& caught = detail::c_failure_or(self->m_failure);
    const auto given = detail::without_user_data<user_data, Parameters...>(arguments...);
    if (!caught) {
      try {
        return std::apply(self->m_callable, given);
      } catch (...) {
        caught = std::current_exception();
      }
    }
    return std::apply(self->m_on_error, given);
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
  detail::callable_t<R, passed> m_on_error;
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
