// Abandoned frames that take their time, and who finishes them.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <upcall/stl.hpp>
#include <utility>

#include "bodies.hpp"
#include "counted.hpp"

namespace {

std::atomic<bool> gate_is_open{true};
std::atomic<int> waiting_at_gate{0};

body<> open_gate(bool opened) {
  gate_is_open = opened;
  gate_is_open.notify_all();
  UPCALL_RETURN;
}
UPCALL_NIF(open_gate);

body<int> at_gate() { UPCALL_RETURN waiting_at_gate; }
UPCALL_NIF(at_gate);

/// Waits at the gate when it is destroyed.
struct slow {
  slow() = default;
  slow(const slow&) = delete;
  slow& operator=(const slow&) = delete;
  ~slow() {
    ++waiting_at_gate;
    gate_is_open.wait(false);
    --waiting_at_gate;
  }
};

using number_function = function<std::int64_t(std::int64_t)>;

body<std::int64_t> end_slowly(number_function f) {
  const counted object;
  const slow last;
  UPCALL_RETURN UPCALL_AWAIT f(1);
}
UPCALL_NIF(end_slowly);
UPCALL_NIF_AS("end_slowly_too", &end_slowly);

body<std::int64_t> end_at_once(number_function f) {
  const counted object;
  UPCALL_RETURN UPCALL_AWAIT f(1);
}
UPCALL_NIF(end_at_once);

/// Makes what the library reports readable for the test.
body<> redirect_stderr(std::string path) {
  if (std::freopen(path.c_str(), "w", stderr) != nullptr) std::setvbuf(stderr, nullptr, _IONBF, 0);
  UPCALL_RETURN;
}
UPCALL_NIF(redirect_stderr);

#if !defined(UPCALL_TEST_COROUTINES)

std::int64_t end_slowly_pinned(number_function f) {
  const slow last;
  return f(1);
}
UPCALL_NIF(end_slowly_pinned, upcall::pinned);

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Finisher");
