// Native calls that keep a scheduler busy until they are told to end.

#include <erl_nif.h>

#include <atomic>
#include <cstdint>

#include "bodies.hpp"

namespace {

std::atomic<bool> told_to_end{false};
body<> finish() {
  told_to_end = true;
  UPCALL_RETURN;
}
UPCALL_NIF(finish);

/// Gives how many upcalls it made.
body<std::int64_t> make_upcalls(function<std::int64_t(std::int64_t)> f) {
  std::int64_t calls = 0;
  std::int64_t sum = 0;
  for (; !told_to_end; ++calls) sum = (sum + UPCALL_AWAIT f(calls % 1'000)) % 1'009;
  UPCALL_RETURN calls;
}
UPCALL_NIF(make_upcalls);

/// A step of a computation that says often that others may run.
std::uint64_t scramble(std::uint64_t state) {
  return state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
}

body<std::uint64_t> compute_with_yields() {
  std::uint64_t state = 1;
  while (!told_to_end) {
    for (int i = 0; i < 1'000; ++i) state = scramble(state);
    UPCALL_AWAIT upcall::give_time();
  }
  UPCALL_RETURN state % 1'009;
}
UPCALL_NIF(compute_with_yields);

/// The same by one who does not know better, for 30 ms at a time.
body<std::uint64_t> compute_without_yields(function<void()> f) {
  std::uint64_t state = 1;
  while (!told_to_end) {
    const ErlNifTime until = enif_monotonic_time(ERL_NIF_MSEC) + 30;
    while (enif_monotonic_time(ERL_NIF_MSEC) < until) state = scramble(state);
    UPCALL_AWAIT f();
  }
  UPCALL_RETURN state % 1'009;
}
UPCALL_NIF(compute_without_yields);

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.FrameFairness");
