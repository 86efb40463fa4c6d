// Callbacks of C libraries that go on asking after a failure, or handle it.

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "c_sort.hpp"
#include "counted.hpp"
#include "hunt.hpp"

namespace {

using objective = upcall::function<double(double)>;
using c_objective = upcall::c_callback<double(double, upcall::user_data)>;

UPCALL_NIF(sort_in_c);

void stop_all(bool stopped) { endless::all_stopped = stopped; }
UPCALL_NIF(stop_all);
int gave_up() { return hunt::gave_up; }
UPCALL_NIF(gave_up);

// ---- an answer that says nothing to the library ----

using shared_object = upcall::resource<upcall::exclusive<int>>;
shared_object make_object() { return shared_object::make(0); }
UPCALL_NIF(make_object);
int use_object(shared_object shared) {
  auto object = shared->lock();
  return 1;
}
UPCALL_NIF(use_object);

/// Minimizes `f`, and answers HUGE_VAL when that fails.
double run_hunt(const std::function<double(double)>& f) {
  const counted object;
  hunt searched;
  c_objective callback(HUGE_VAL, f);
  return upcall::through_c([&] { return searched.run(callback.function(), callback.data()); });
}

double hunt_in_frame(objective f, shared_object shared) {
  auto object = shared->lock();
  return run_hunt(f);
}
UPCALL_NIF(hunt_in_frame);
UPCALL_NIF_AS("hunt_in_dirty_frame", &hunt_in_frame, upcall::dirty_cpu);
UPCALL_NIF_AS("hunt_pinned", &hunt_in_frame, upcall::pinned);

/// Hunts on a thread of the body's own.
double hunt_on_thread(objective f, shared_object shared) {
  auto object = shared->lock();
  std::thread([&] {
    try {
      run_hunt(f);
    } catch (...) {
    }
  }).join();
  return 0;
}
UPCALL_NIF(hunt_on_thread, upcall::pinned);

/// A coroutine can't call a function there, but fail by itself.
upcall::task<double> hunt_in_task(std::string text, shared_object shared) {
  auto object = co_await shared->async_lock();
  co_return run_hunt([&](double) -> double { throw std::runtime_error(text); });
}
UPCALL_NIF(hunt_in_task);

void hunt_yielding() {
  run_hunt([](double x) { return upcall::yield_value(x), HUGE_VAL; });
}
UPCALL_NIF(hunt_yielding, upcall::yields<double>, upcall::chunk_size{10});

/// A sort goes on for as long as it needs, too, but ends.
upcall::task<std::vector<int>> sort_in_task(std::vector<int> values, std::string text) {
  upcall::c_callback<int(const void*, const void*, upcall::user_data)> callback(
      0, [&](const void*, const void*) -> int { throw std::runtime_error(text); });
  upcall::through_c([&] {
    qsort_r(values.data(), values.size(), sizeof(int), callback.function(), callback.data());
  });
  co_return values;
}
UPCALL_NIF(sort_in_task);

// ---- an answer that stops it ----

double minimize(objective f) {
  hunt searched;
  c_objective callback(
      [&](double) {
        searched.stopped = true;
        return HUGE_VAL;
      },
      std::move(f));
  return upcall::through_c([&] { return searched.run(callback.function(), callback.data()); });
}
UPCALL_NIF(minimize);
UPCALL_NIF_AS("minimize_pinned", &minimize, upcall::pinned);

// ---- a library that handles failures ----

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  } catch (const upcall::abandoned&) {
    return "abandoned";
  }
}

using c_function = upcall::c_callback<int(upcall::user_data, interpreter*, int)>;

c_function handling(std::function<int(int)> f) {
  return {[](const std::exception_ptr& failure, interpreter* here, int) {
            std::snprintf(here->message, sizeof here->message, "%s", text_of(failure).c_str());
            return -1;
          },
          [f = std::move(f)](interpreter*, int argument) { return f(argument); }};
}

/// Runs `pcall(f, 1)` to `pcall(f, count)`, and gives what came of each.
std::vector<std::string> run_calls(std::function<int(int)> f, int count) {
  std::vector<std::string> outcomes;
  c_function callback = handling(std::move(f));
  interpreter script{callback.function(), callback.data()};
  upcall::through_c([&] {
    for (int i = 1; i <= count; ++i) {
      const int result = script.protected_call(i);
      outcomes.push_back(result < 0 ? script.message : std::to_string(result));
    }
  });
  return outcomes;
}

std::vector<std::string> script(upcall::function<int(int)> f, int count) {
  return run_calls(std::move(f), count);
}
UPCALL_NIF(script);
UPCALL_NIF_AS("script_pinned", &script, upcall::pinned);

upcall::task<std::vector<std::string>> script_in_task(int count) {
  co_return run_calls(
      [](int i) {
        if (i % 2 == 0) throw std::runtime_error("even");
        return i;
      },
      count);
}
UPCALL_NIF(script_in_task);

/// `while true do pcall(f) end`, with or without a hook that asks whether anybody waits for it.
int endless_script(upcall::function<int(int)> f, shared_object shared, bool asks) {
  auto object = shared->lock();
  c_function callback = handling(f);
  interpreter script{callback.function(), callback.data()};
  endless loop;
  while (!(asks && upcall::is_abandoned()) && loop.goes_on()) script.protected_call(1);
  return 1;
}
UPCALL_NIF(endless_script);
UPCALL_NIF_AS("endless_script_pinned", &endless_script, upcall::pinned);

/// The same of a function that fails without Elixir.
int failing_script() {
  c_function callback = handling([](int) -> int { throw std::runtime_error("always"); });
  interpreter script{callback.function(), callback.data()};
  endless loop;
  while (!upcall::is_abandoned() && loop.goes_on()) script.protected_call(1);
  return 1;
}
UPCALL_NIF(failing_script);

// ---- native code that asks whether anybody waits for it ----

std::atomic<int> left{0};
std::atomic<int> computing{0};
/// How many compute, and how many have seen that nobody waits for them.
std::pair<int, int> seen() { return {computing, left}; }
UPCALL_NIF(seen);

using plain_function = upcall::function<void()>;

/// Computes, and makes no further upcall.
void compute(plain_function begin) {
  begin();
  ++computing;
  endless loop;
  while (!upcall::is_abandoned() && loop.goes_on()) std::this_thread::yield();
  if (upcall::is_abandoned()) ++left;
  --computing;
}
UPCALL_NIF_AS("compute_dirty_cpu", &compute, upcall::dirty_cpu);
UPCALL_NIF_AS("compute_dirty_io", &compute, upcall::dirty_io);
UPCALL_NIF_AS("compute_pinned", &compute, upcall::pinned);

void compute_on_thread(plain_function begin) {
  std::thread([&] { compute(begin); }).join();
}
UPCALL_NIF(compute_on_thread, upcall::pinned);

/// Each of the threads waits for a function, once.
void wait_on_threads(plain_function f, int count) {
  const counted object;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      try {
        f();
      } catch (const upcall::abandoned&) {
        ++left;
      }
    });
  }
  for (std::thread& each : threads) each.join();
}
UPCALL_NIF(wait_on_threads, upcall::pinned);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.CCallback");
