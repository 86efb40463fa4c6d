// Native code that leaves its stack, or writes where it must not. Built twice, as two libraries of
// one VM (test/CMakeLists.txt).

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <upcall.hpp>

#ifndef STACK_OVERFLOW_MODULE
#define STACK_OVERFLOW_MODULE "Elixir.UpcallTest.StackOverflow"
#endif

namespace {

using number_function = upcall::function<std::int64_t(std::int64_t)>;

[[gnu::noinline]] std::int64_t descend(std::int64_t depth) {
  volatile std::byte used[200];
  used[0] = static_cast<std::byte>(depth);
  if (depth < 0) return 0;
  return descend(depth + 1) + std::to_integer<std::int64_t>(used[0]);
}

std::int64_t recurse(number_function f) { return f(0) + descend(0); }
UPCALL_NIF(recurse);
UPCALL_NIF_AS("recurse_64_kb", &recurse, upcall::stack_size{1});
UPCALL_NIF_AS("recurse_64_mb", &recurse, upcall::stack_size{64 << 20});
UPCALL_NIF_AS("recurse_dirty_cpu", &recurse, upcall::dirty_cpu);
UPCALL_NIF_AS("recurse_dirty_io", &recurse, upcall::dirty_io);

/// Overflows before it has made an upcall.
std::int64_t recurse_at_once() { return descend(0); }
UPCALL_NIF(recurse_at_once);

std::int64_t recurse_when_abandoned(number_function f) {
  try {
    return f(0);
  } catch (const upcall::abandoned&) {
    descend(0);
    throw;
  }
}
UPCALL_NIF(recurse_when_abandoned);

struct deep {};

}  // namespace

template <>
struct upcall::codec<deep> {
  static deep decode(ErlNifEnv*, ERL_NIF_TERM) { return descend(0), deep{}; }
};

namespace {

std::int64_t recurse_in_codec(number_function f, upcall::function<deep()> g) {
  const std::int64_t value = f(0);
  g();
  return value;
}
UPCALL_NIF(recurse_in_codec);

__attribute__((no_sanitize("undefined"))) void write_to(std::int64_t address) {
  *reinterpret_cast<volatile char*>(address) = 1;  // NOLINT(performance-no-int-to-ptr): a wild one
}

std::int64_t poke(std::int64_t address, number_function f) {
  const std::int64_t value = f(0);
  write_to(address);
  return value;
}
UPCALL_NIF(poke);

std::int64_t poke_on_thread(std::int64_t address) {
  std::thread([address] { write_to(address); }).join();
  return 0;
}
UPCALL_NIF(poke_on_thread, upcall::dirty_io);

/// Gives `f` an address in the guard of this call's own stack.
std::int64_t with_guard(number_function f) {
  const std::byte* const end = upcall::detail::current_frame()->stack_end();
  return f(reinterpret_cast<std::int64_t>(end - 64));
}
UPCALL_NIF(with_guard);

/// A signal that comes from a process, as `kill -SEGV`, and no fault.
std::int64_t signal_itself() { return std::raise(SIGSEGV); }
UPCALL_NIF(signal_itself);

}  // namespace

UPCALL_INIT(STACK_OVERFLOW_MODULE);
