// Frames whose steps run on dirty schedulers.

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "bodies.hpp"
#include "counted.hpp"

namespace {

using number_function = function<std::int64_t(std::int64_t)>;

const char* this_thread() {
  switch (enif_thread_type()) {
    case ERL_NIF_THR_NORMAL_SCHEDULER:
      return "normal";
    case ERL_NIF_THR_DIRTY_CPU_SCHEDULER:
      return "dirty cpu";
    case ERL_NIF_THR_DIRTY_IO_SCHEDULER:
      return "dirty io";
    default:
      return "none";
  }
}

/// Gives what kinds of threads its steps ran on; its function raises in the middle.
body<std::vector<std::string>> steps(number_function f) {
  const counted object;
  std::vector<std::string> threads{this_thread()};
  for (std::int64_t i = 0; i < 3; ++i) {
    try {
      UPCALL_AWAIT f(i);
    } catch (const upcall::error&) {
    }
    threads.emplace_back(this_thread());
  }
  // The first one after a while always lets others run.
  UPCALL_AWAIT upcall::give_time();
  threads.emplace_back(this_thread());
  UPCALL_RETURN threads;
}
UPCALL_NIF_AS("normal_steps", &steps);
UPCALL_NIF_AS("dirty_cpu_steps", &steps, upcall::dirty_cpu);
UPCALL_NIF_AS("dirty_io_steps", &steps, upcall::dirty_io);

body<std::int64_t> call(number_function f) {
  const counted object;
  UPCALL_RETURN UPCALL_AWAIT f(1) + 1;
}
UPCALL_NIF_AS("dirty_cpu_call", &call, upcall::dirty_cpu);
UPCALL_NIF_AS("dirty_io_call", &call, upcall::dirty_io);

// Steps that last until they are told to go on.
std::atomic<std::int64_t> waiting{0};
std::atomic<bool> open{false};
void wait_at_gate() {
  ++waiting;
  open.wait(false);
  --waiting;
}
body<std::int64_t> at_gate() { UPCALL_RETURN waiting; }
UPCALL_NIF(at_gate);
body<> open_gate(bool opened) {
  open = opened;
  open.notify_all();
  UPCALL_RETURN;
}
UPCALL_NIF(open_gate);

/// Its first step waits at the gate before the first upcall, so that it has no handle yet.
body<std::int64_t> waits_first(number_function f) {
  const counted object;
  wait_at_gate();
  UPCALL_RETURN UPCALL_AWAIT f(1);
}
/// Its second step waits, and is followed by another one.
body<std::int64_t> waits_between(number_function f) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(1);
  wait_at_gate();
  UPCALL_RETURN first + UPCALL_AWAIT f(2);
}
/// Its last step waits, and then the call ends.
body<std::int64_t> waits_last(number_function f) {
  const counted object;
  const std::int64_t first = UPCALL_AWAIT f(1);
  wait_at_gate();
  UPCALL_RETURN first;
}
UPCALL_NIF_AS("cpu_waits_first", &waits_first, upcall::dirty_cpu);
UPCALL_NIF_AS("cpu_waits_between", &waits_between, upcall::dirty_cpu);
UPCALL_NIF_AS("cpu_waits_last", &waits_last, upcall::dirty_cpu);
UPCALL_NIF_AS("io_waits_first", &waits_first, upcall::dirty_io);
UPCALL_NIF_AS("io_waits_between", &waits_between, upcall::dirty_io);
UPCALL_NIF_AS("io_waits_last", &waits_last, upcall::dirty_io);

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.FrameDirty");
