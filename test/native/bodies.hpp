#pragma once

// The tests of frames are built twice, once for each body that a frame can have: their functions
// are ordinary ones, which run on fibers, or coroutines where UPCALL_TEST_COROUTINES is defined.
// Coroutines get no Boost to include, so that they show that they need none.
//
//     body<std::int64_t> twice(function<std::int64_t()> f) {
//       UPCALL_RETURN UPCALL_AWAIT f() + UPCALL_AWAIT f();
//     }

#if defined(UPCALL_TEST_COROUTINES)

#include <upcall/coroutines.hpp>
#define UPCALL_AWAIT co_await
#define UPCALL_RETURN co_return
#define UPCALL_TEST_INIT(module) UPCALL_INIT(module "Task")

#else

#include <upcall.hpp>
#define UPCALL_AWAIT
#define UPCALL_RETURN return
#define UPCALL_TEST_INIT(module) UPCALL_INIT(module)

#endif

namespace {

#if defined(UPCALL_TEST_COROUTINES)

template <class Signature>
using function = upcall::async_function<Signature>;
template <class R = void>
using body = upcall::task<R>;

template <class Signature>
auto named(const upcall::mfa& name) {
  return function<Signature>::named(name);
}
template <class Signature, class... Args>
auto call_here(const upcall::kept_function<Signature>& kept, const Args&... args) {
  return kept.async_here()(args...);
}
template <class T>
auto lock(upcall::exclusive<T>& wanted) {
  return wanted.async_lock();
}

#else

template <class Signature>
using function = upcall::function<Signature>;
template <class R = void>
using body = R;

template <class Signature>
auto named(const upcall::mfa& name) {
  return function<Signature>(name);
}
template <class Signature, class... Args>
auto call_here(const upcall::kept_function<Signature>& kept, const Args&... args) {
  return kept(args...);
}
template <class T>
auto lock(upcall::exclusive<T>& wanted) {
  return wanted.lock();
}

#endif

}  // namespace
