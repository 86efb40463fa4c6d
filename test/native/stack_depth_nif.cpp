// Native code that uses so much stack as it is told to. Built a second time so that it measures
// (test/CMakeLists.txt).

#include <cstddef>
#include <cstdint>
#include <upcall.hpp>

#if defined(UPCALL_MEASURE_STACKS)
#define STACK_DEPTH_MODULE "Elixir.UpcallTest.StackDepthMeasured"
#else
#define STACK_DEPTH_MODULE "Elixir.UpcallTest.StackDepth"
#endif

namespace {

using number_function = upcall::function<std::int64_t(std::int64_t)>;

/// Goes on until so many bytes of stack are in use, and does `at_the_bottom` there.
template <class Work>
[[gnu::noinline]] std::int64_t descend(const std::byte* top, std::int64_t bytes,
                                       const Work& at_the_bottom) {
  volatile std::byte used[200];
  used[0] = std::byte{1};
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  const std::int64_t deeper =
      top - here >= bytes ? at_the_bottom() : descend(top, bytes, at_the_bottom);
  return deeper + std::to_integer<std::int64_t>(used[0]);
}

template <class Work>
std::int64_t descend(std::int64_t bytes, const Work& at_the_bottom) {
  return descend(static_cast<const std::byte*>(__builtin_frame_address(0)), bytes, at_the_bottom);
}

std::int64_t suspended_deeply(std::int64_t bytes, number_function f) {
  return descend(bytes, [&] { return f(0); });
}
UPCALL_NIF(suspended_deeply);
UPCALL_NIF_AS("suspended_now", &suspended_deeply);
UPCALL_NIF_AS("suspended_on_1_mb", &suspended_deeply, upcall::stack_size{1 << 20});

std::int64_t suspended_deeply_later(std::int64_t bytes, number_function f) {
  const std::int64_t first = f(0);
  return first + descend(bytes, [&] { return f(0); });
}
UPCALL_NIF(suspended_deeply_later);

std::int64_t deep_in_between(std::int64_t bytes, number_function f) {
  return f(0) + descend(bytes, [] { return 0; }) + f(0);
}
UPCALL_NIF(deep_in_between);

std::int64_t deep_at_the_end(std::int64_t bytes, number_function f) {
  return f(0) + descend(bytes, [] { return 0; });
}
UPCALL_NIF(deep_at_the_end);

std::int64_t shallow(number_function f) { return f(0); }
UPCALL_NIF(shallow);

std::int64_t never_suspended(std::int64_t bytes) {
  return descend(bytes, [] { return 0; });
}
UPCALL_NIF(never_suspended);

std::int64_t never_called() { return 0; }
UPCALL_NIF(never_called);

}  // namespace

UPCALL_INIT(STACK_DEPTH_MODULE);
