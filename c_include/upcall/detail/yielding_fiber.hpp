#pragma once

#include <typeinfo>
#include <utility>

#include "../error.hpp"
#include "body_call.hpp"
#include "bound_nif.hpp"
#include "chunk.hpp"
#include "frame.hpp"
#include "function_root.hpp"
#include "resource_type.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Runs the body of a NIF on a fiber that yields values, once somebody wants them.
template <class T>
void run_yielding(frame& running, const body_call& body) {
  chunk<T> values(running.nif().chunk_size);
  running.yielded = &values;
  running.suspend(generate_request(running));
  values.go_on();
  try {
    body();
  } catch (const abandoned&) {
    throw;
  } catch (...) {
    // What was yielded before comes before.
    if (!values.empty()) running.suspend(chunk_request(running));
    throw;
  }
  if (running.is_abandoned()) return;
  running.set_result(make_tuple(running.env(), atoms::return_.raw(), values.take(running)));
}

template <class T>
inline constexpr yielding_body yielding_body_of{&run_yielding<T>};

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
  running.suspend(chunk_request(running));
  running.yielded->go_on();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
