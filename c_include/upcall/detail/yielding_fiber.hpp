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
  running.yields = &values;
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
inline constexpr yielding_body yielding{&run_yielding<T>};

[[noreturn]] UPCALL_COLD inline void throw_not_yielding(const std::type_info& type) {
  raise("Elixir.RuntimeError",
        "this native call does not yield values of type " + readable_name(type) +
            ": declare it with UPCALL_NIF(…, upcall::yields<T>), and yield that T");
}

template <class T>
void yield_on_fiber(frame& running, T value) {
  if (running.yields == nullptr || running.yields->type() != chunk_base::type_of<T>())
    throw_not_yielding(typeid(T));
  if (!static_cast<chunk<T>*>(running.yields)->add(std::move(value))) return;
  running.suspend(chunk_request(running));
  running.yields->go_on();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
