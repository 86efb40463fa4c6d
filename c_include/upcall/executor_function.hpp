#pragma once

#include <type_traits>
#include <utility>

#include "detail/executor/remote_call.hpp"
#include "detail/function/call_arguments.hpp"
#include "detail/nif/parameters.hpp"
#include "executor.hpp"
#include "future.hpp"
#include "kept_function.hpp"
#include "result.hpp"

namespace upcall UPCALL_HIDDEN {

/// Calls a function of Elixir's in an executor, from any thread of native code. `function::on` and
/// `kept_function::on` make it:
///
///     auto on_event = handler.on(executor, {.timeout = 200ms});
///     int n = on_event("file.txt");
///
/// Copies share the function; each call copies it to the executor, with what it has captured.
///
/// Threads: any may hold and copy it. `cast` and `submit` work on each, in destructors of
/// resources, too. A call waits, and so works on threads that native code has made, and in frames
/// on fibers, which suspend; a coroutine awaits `submit`.
template <class R, class... Args>
class executor_function<R(Args...)> {
  static_assert((detail::can_encode<std::remove_cvref_t<Args>>() && ...),
                "upcall::codec has no encode for an argument of this function");
  static_assert(
      detail::changes_none<Args...>(),
      "a change of an argument by reference is lost, as Elixir's functions change nothing: "
      "take it as const & or by value, and return what has changed");

 public:
  /// Calls it and waits. Threads: see above; on a fiber you may be on another thread afterwards.
  /// Throws: `error` when it raises, exits or throws, when what it returns is no `R`, when the
  /// executor fails, where it can't wait, and when it was moved from; `abandoned` when the caller
  /// of the frame is gone.
  R operator()(const std::remove_cvref_t<Args>&... args) const { return call(args...).take(); }

  /// Calls it and gives what came of it; also where it can't be called, in a destructor on a
  /// scheduler, say. Threads: as a call. Throws: `abandoned`, but not where that can't reach the
  /// native call's begin: in a destructor while an exception unwinds the stack or an abandoned
  /// coroutine is destroyed, on a thread that a pinned body has started; what the codecs of the
  /// arguments throw that is no `error`.
  result<R> try_call(const std::remove_cvref_t<Args>&... args) const {
    return detail::result_of<R>([&] { return call(args...); });
  }

  /// Calls it without waiting. Many may be under way. A failure of the executor is the future's.
  /// The timeout runs from now on. Threads: any. Throws: what the codecs of the arguments throw;
  /// `error` when it was moved from.
  [[nodiscard]] future<R> submit(const std::remove_cvref_t<Args>&... args) const {
    detail::sending_env message(nullptr);
    auto call = detail::make_call(message, detail::hearing::yes);
    future<R> to_come(call, m_executor, m_options.timeout);
    detail::dispatch(message, m_executor, call, job(message, args...));
    return to_come;
  }

  /// Calls it and wants no answer; a failure of the function is logged. Gives whether the call was
  /// accepted: false when its executor does not run or as many wait for it as may. One that was
  /// runs, unless the executor dies. In a destructor, it is the way to tell something. Those of one
  /// thread, or of one frame, run in their order.
  ///
  /// A scheduler may have nothing to send from: hand-written NIFs and destructors of other
  /// libraries. There a thread of this library sends, and it is true when the library has taken the
  /// call; of an executor that does not run, what was taken is lost, and logged. It is false when
  /// there is no thread to be had, or a thousand such calls have not begun.
  ///
  /// One that was moved from accepts none: the object that it was moved to has it, and tells.
  ///
  /// Threads: any. Throws: what the codecs of the arguments throw.
  bool cast(const std::remove_cvref_t<Args>&... args) const {
    if (m_function == nullptr) return false;
    detail::sending_env message(nullptr);
    const auto call = detail::make_call(message, detail::hearing::no);
    return detail::dispatch(message, m_executor, call, job(message, args...));
  }

 private:
  friend class kept_function<R(Args...)>;
  template <class Result, class Argument, class Range>
  friend auto map(const executor_function<Result(Argument)>& f, const Range& range);

  executor_function(detail::function_copy kept, const executor& where,
                    const call_options& options) noexcept
      : m_function(std::move(kept)), m_executor(where), m_options(options) {}

  result<R> call(const std::remove_cvref_t<Args>&... args) const {
    const detail::waiting_place place;
    detail::sending_env message(nullptr);
    return detail::run_on<R>(nullptr, place, message, m_executor, job(message, args...),
                             m_options.timeout);
  }
  [[nodiscard]] detail::job job(const detail::sending_env& message,
                                const std::remove_cvref_t<Args>&... args) const {
    return {function().copy_to(message.get()),
            detail::encode_argument_list(message.get(), args...)};
  }

  [[nodiscard]] const owned_term& function() const {
    if (m_function == nullptr) detail::throw_function_moved_from();
    return *m_function;
  }

  detail::function_copy m_function;
  executor m_executor;
  call_options m_options;
};

template <class R, class... Args>
executor_function<R(Args...)> kept_function<R(Args...)>::on(const executor& where,
                                                            const call_options& options) const {
  return {copy(), where, options};
}

}  // namespace UPCALL_HIDDEN
