#include <cstdint>
#include <cstring>
#include <upcall.hpp>

using failing_function = upcall::function<void()>;

static std::int64_t through(const failing_function& f) {
  f();
  return 0;
}

static std::int64_t caught(const failing_function& f) {
  try {
    f();
    return 0;
  } catch (const upcall::error&) {
    return 1;
  }
}

static std::int64_t read_text(const failing_function& f) {
  try {
    f();
    return 0;
  } catch (const upcall::error& e) {
    return std::strlen(e.what()) > 0 ? 1 : 0;
  }
}

UPCALL_NIF(through);
UPCALL_NIF(caught);
UPCALL_NIF(read_text);
UPCALL_INIT("Elixir.Bench.Errors.Native");
