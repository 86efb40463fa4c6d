// Native recursion, as deep as it is told to go, and that of codecs.

#include <cstddef>
#include <cstdint>
#include <upcall/stl.hpp>
#include <vector>

#include "bodies.hpp"

namespace {

/// A list of lists of lists.
struct nested {
  std::vector<nested> inner;
};

}  // namespace

template <>
struct upcall::codec<nested> {
  static nested decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return {upcall::decode<std::vector<nested>>(env, raw)};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const nested& value) {
    return upcall::encode(env, value.inner);
  }
};

namespace {

body<nested> give_back(nested value) { UPCALL_RETURN value; }
UPCALL_NIF(give_back);
UPCALL_NIF_AS("give_back_dirty", &give_back, upcall::dirty_cpu);

body<> take(function<nested()> f) { UPCALL_AWAIT f(); }
UPCALL_NIF(take);

#if !defined(UPCALL_TEST_COROUTINES)

using number_function = function<std::int64_t(std::int64_t)>;

/// Goes on until so many bytes of stack are in use, makes an upcall there and gives how many calls
/// deep that was.
[[gnu::noinline]] std::int64_t descend(const std::byte* top, std::int64_t bytes,
                                       const number_function& f) {
  volatile std::byte used[200];
  used[0] = std::byte{1};
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  const std::int64_t deeper = top - here >= bytes ? f(0) : descend(top, bytes, f);
  return deeper + std::to_integer<std::int64_t>(used[0]);
}

std::int64_t use_stack(std::int64_t bytes, number_function f) {
  f(1);
  return descend(static_cast<const std::byte*>(__builtin_frame_address(0)), bytes, f);
}
UPCALL_NIF_AS("use_default_stack", &use_stack);
UPCALL_NIF_AS("use_small_stack", &use_stack, upcall::stack_size{1 << 16});
UPCALL_NIF_AS("use_large_stack", &use_stack, upcall::stack_size{1 << 20});
UPCALL_NIF_AS("use_large_dirty_stack", &use_stack, upcall::dirty_cpu, upcall::stack_size{1 << 20});

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.FrameLimits");
