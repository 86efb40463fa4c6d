#pragma once

#include <atomic>
#include <chrono>
#include <csetjmp>

// C libraries as c_callback meets them, whose callbacks may fail.

namespace {

/// Whether a loop that would go on for ever is to do so: until the test has enough of it, or it was
/// a minute, as a scheduler that is held lets no test say so.
class endless {
 public:
  bool goes_on() {
    if (all_stopped || std::chrono::steady_clock::now() > m_deadline) ended_by_test = true;
    return !ended_by_test;
  }
  bool ended_by_test = false;
  static inline std::atomic<bool> all_stopped{false};

 private:
  std::chrono::steady_clock::time_point m_deadline =
      std::chrono::steady_clock::now() + std::chrono::minutes(1);
};

/// An optimizer that asks its objective for as long as it finds nothing better, as NLopt's COBYLA
/// does when all answers are HUGE_VAL. The test ends it at last.
struct hunt {
  using objective = double (*)(double, void*);
  /// Gives what it has found. Never, until it is told to stop.
  double run(objective f, void* data) {
    endless loop;
    double best = f(0, data);
    for (int i = 1; !stopped && loop.goes_on(); ++i) {
      const double value = f(i, data);
      if (value < best) return value;
    }
    if (loop.ended_by_test) ++gave_up;
    return best;
  }

  bool stopped = false;
  /// How many ended only because the test had enough of them.
  static inline std::atomic<int> gave_up{0};
};

/// An interpreter that handles errors, as Lua does: by a jump to who protects the call.
struct interpreter {
  using function = int (*)(void* data, interpreter* here, int argument);

  /// Calls the function that it was given. Fails with the message that this leaves.
  int call(int argument) {
    const int result = known(data, this, argument);
    if (result < 0) fail();  // the callback has returned, so that the jump crosses nothing of C++'s
    return result;
  }
  /// Calls it so that the failure ends there: -1.
  int protected_call(int argument) {
    std::jmp_buf here;
    std::jmp_buf* const outer = handler;
    handler = &here;
    volatile int result = -1;
    if (setjmp(here) == 0) result = call(argument);
    handler = outer;
    return result;
  }
  [[noreturn]] void fail() { std::longjmp(*handler, 1); }

  function known = nullptr;
  void* data = nullptr;
  std::jmp_buf* handler = nullptr;
  char message[100] = {};
};

}  // namespace
