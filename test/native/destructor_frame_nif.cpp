// Destructors of native calls that are unwound, closed, abandoned or hold an object, and tell
// Elixir something meanwhile.

#include <erl_nif.h>

#include <cstdint>
#include <stdexcept>
#include <upcall.hpp>
#include <upcall/stl.hpp>

#include "telling.hpp"

namespace {

using upcall::executor;
using upcall::resource;

// ---- unwound by an exception ----

void throws(kept_function f, executor where, way how, upcall::function<void()> before) {
  const teller own(f, where, 1, how);
  before();
  throw std::runtime_error("thrown");
}
UPCALL_NIF(throws);
UPCALL_NIF_AS("throws_pinned", &throws, upcall::pinned);

// ---- at the end of a scope ----

void holds(kept_function f, executor where, way how, upcall::function<void()> before) {
  before();
  const teller own(f, where, 1, how);
}
UPCALL_NIF(holds);

upcall::task<void> holds_in_coroutine(kept_function f, executor where, way how,
                                      upcall::async_function<void()> before) {
  const teller own(f, where, 1, how);
  co_await before();
}
UPCALL_NIF(holds_in_coroutine);

// ---- with exclusive access to an object ----

using object = upcall::exclusive<std::int64_t>;

resource<object> make_object() { return upcall::make_resource<object>(0); }
UPCALL_NIF(make_object);

std::int64_t use_object(resource<object> used) { return ++*used->lock(); }
UPCALL_NIF(use_object);

std::int64_t holds_object(kept_function f, executor where, way how, resource<object> held,
                          upcall::function<void()> before) {
  const auto access = held->lock();
  const teller own(f, where, 1, how);
  before();
  return ++*access;
}
UPCALL_NIF(holds_object);

// ---- closed by who has enough ----

void yields(kept_function f, executor where, way how) {
  const teller own(f, where, 1, how);
  for (std::int64_t i = 0;; ++i) upcall::yield_value(i);
}
UPCALL_NIF(yields, upcall::yields<std::int64_t>);

upcall::generator<std::int64_t> yields_in_coroutine(kept_function f, executor where, way how) {
  const teller own(f, where, 1, how);
  for (std::int64_t i = 0;; ++i) co_yield i;
}
UPCALL_NIF(yields_in_coroutine);

// ---- while terms are decoded ----

/// What its argument is decoded by: a call for a resource that is thrown in a codec.
struct telling_argument {
  std::int64_t value;
};
struct source {
  kept_function f;
  executor where;
  way how;
};

resource<source> argument(kept_function f, executor where, way how) {
  return upcall::make_resource<source>(f, where, how);
}
UPCALL_NIF(argument);

}  // namespace

template <>
struct upcall::codec<telling_argument> {
  static telling_argument decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    const auto from = upcall::decode<upcall::resource<source>>(env, raw);
    const teller own(from->f, from->where, 1, from->how);
    throw std::runtime_error("thrown by a codec");
  }
};

namespace {

std::int64_t decodes(telling_argument argument) { return argument.value; }
UPCALL_NIF(decodes);

UPCALL_INIT("Elixir.UpcallTest.DestructorFrame");

}  // namespace
