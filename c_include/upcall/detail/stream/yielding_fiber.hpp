#pragma once

#include <exception>
#include <typeinfo>
#include <utility>

#include "../../error.hpp"
#include "../base/function_ref.hpp"
#include "../frame/frame.hpp"
#include "../function/function_root.hpp"
#include "../nif/bound_nif.hpp"
#include "../term/resource_type.hpp"
#include "chunk.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Says for its lifetime where the values go that a frame yields.
class yielding_scope {
 public:
  yielding_scope(frame& running, chunk_base& to) noexcept : m_running(running) {
    running.yielded = &to;
  }
  yielding_scope(const yielding_scope&) = delete;
  yielding_scope& operator=(const yielding_scope&) = delete;
  ~yielding_scope() { m_running.yielded = nullptr; }

 private:
  frame& m_running;
};

/// The way of a NIF on a fiber that yields values: its body runs once somebody wants them.
template <class T>
struct yielding_body {
  static void run(frame& running, const ERL_NIF_TERM* arguments, function_ref<void()> body);
};

template <class T>
void yielding_body<T>::run(frame& running, const ERL_NIF_TERM* arguments,
                           function_ref<void()> body) {
  chunk<T> values(running.nif().chunk_size);
  const yielding_scope scope(running, values);
  running.suspend(detail::generate_request(running, arguments));
  values.go_on();
  std::exception_ptr failure;
  try {
    body();
    running.failures_of_c().rethrow_unscoped();
    if (running.is_abandoned()) return;
    running.set_result(
        detail::make_tuple(running.env(), atoms::return_.raw(), values.take(running)));
    return;
  } catch (...) {
    failure = std::current_exception();
  }
  // Values that were yielded before a failure reach Elixir before it.
  while (!running.is_abandoned() && !values.empty()) {
    try {
      running.suspend(detail::chunk_request(running));
    } catch (const abandoned&) {
      throw;
    } catch (...) {  // a value before it has no term, and so failed first
      failure = std::current_exception();
    }
  }
  std::rethrow_exception(failure);
}

[[noreturn]] UPCALL_COLD inline void throw_not_yielding(const std::type_info& type) {
  raise("Elixir.RuntimeError",
        "this native call does not yield values of type " + readable_name(type) +
            ": declare it with UPCALL_NIF(…, upcall::yields<T>), and yield that T");
}

/// Gives the running frame. Throws: `error` where that is not on a fiber; `abandoned`.
inline frame& frame_to_yield_in() {
  if (running_frame().body() == body_kind::coroutine)
    raise("Elixir.RuntimeError", "a coroutine yields by co_yield: return an upcall::generator");
  return frame_for_upcall();
}

template <class T>
void yield_on_fiber(frame& running, T value) {
  if (running.yielded == nullptr || running.yielded->type() != chunk_base::type_of<T>())
    throw_not_yielding(typeid(T));
  if (!static_cast<chunk<T>*>(running.yielded)->add(std::move(value))) return;
  running.suspend(detail::chunk_request(running));
  running.yielded->go_on();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
