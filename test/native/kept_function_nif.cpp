// Functions that are kept, and called by what was kept: for as many rounds as one likes.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <thread>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "bodies.hpp"

namespace {

using int_function = function<std::int64_t(std::int64_t)>;
using kept_int_function = upcall::kept_function<std::int64_t(std::int64_t)>;

body<std::int64_t> keep_and_call(int_function f, std::int64_t rounds) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < rounds; ++i) {
    const kept_int_function kept = f.keep();
    sum += UPCALL_AWAIT call_here(kept, i);
  }
  UPCALL_RETURN sum;
}
UPCALL_NIF(keep_and_call);

/// Serves functions that come and go: the last few are kept, all are called.
body<std::int64_t> serve(function<int_function(std::int64_t)> make, std::int64_t rounds,
                         std::size_t most) {
  std::deque<kept_int_function> served;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < rounds; ++i) {
    served.push_back((UPCALL_AWAIT make(i)).keep());
    if (served.size() > most) served.pop_front();
    sum += UPCALL_AWAIT call_here(served.front(), i);
  }
  UPCALL_RETURN sum;
}
UPCALL_NIF(serve);

/// The same of functions that were kept elsewhere, and that another thread lets go.
body<std::int64_t> serve_others(function<kept_int_function(std::int64_t)> make, std::int64_t rounds,
                                std::size_t most) {
  std::vector<kept_int_function> served;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < rounds; ++i) {
    served.push_back(UPCALL_AWAIT make(i));
    sum += UPCALL_AWAIT call_here(served.back(), i);
    if (served.size() == most) std::thread([gone = std::exchange(served, {})] {}).join();
  }
  UPCALL_RETURN sum;
}
UPCALL_NIF(serve_others);

body<std::int64_t> call_all(std::vector<kept_int_function> functions, std::int64_t rounds) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (const kept_int_function& each : functions) sum += UPCALL_AWAIT call_here(each, i);
  }
  UPCALL_RETURN sum;
}
UPCALL_NIF(call_all);

auto copy_in(const kept_int_function& kept) { return kept.as_owned_term().raw(); }

/// Whether a function that is kept again is the copy that there is.
body<bool> shares_copy(int_function f) {
  const std::vector<int_function> handles(2, f);
  const kept_int_function kept = handles.front().keep();
  UPCALL_RETURN copy_in(handles.back().keep()) == copy_in(kept);
}
UPCALL_NIF(shares_copy);

/// The same, of what was kept by another call.
body<bool> shares_copy_of(kept_int_function kept) {
#if defined(UPCALL_TEST_COROUTINES)
  const int_function f = kept.async_here();
#else
  const int_function f = kept.here();
#endif
  UPCALL_RETURN copy_in(f.keep()) == copy_in(kept);
}
UPCALL_NIF(shares_copy_of);

/// Gives the function as it came, and as it is when it was kept.
body<std::vector<int_function>> with_kept(int_function f) {
  std::vector<int_function> both{f};
#if defined(UPCALL_TEST_COROUTINES)
  both.push_back(f.keep().async_here());
#else
  both.push_back(f.keep().here());
#endif
  UPCALL_RETURN both;
}
UPCALL_NIF(with_kept);

#if !defined(UPCALL_TEST_COROUTINES)
UPCALL_NIF_AS("pinned_keep_and_call", &keep_and_call, upcall::pinned);
UPCALL_NIF_AS("pinned_serve", &serve, upcall::pinned);
UPCALL_NIF_AS("pinned_serve_others", &serve_others, upcall::pinned);
UPCALL_NIF_AS("pinned_call_all", &call_all, upcall::pinned);
UPCALL_NIF_AS("pinned_shares_copy", &shares_copy, upcall::pinned);
UPCALL_NIF_AS("pinned_shares_copy_of", &shares_copy_of, upcall::pinned);

/// Keeps one function on many threads at once: gives how many copies that has made.
std::size_t pinned_copies_of_threads(const int_function& f, std::size_t threads) {
  std::vector<std::optional<kept_int_function>> kept(threads);
  std::vector<std::thread> running;
  running.reserve(threads);
  for (auto& each : kept) running.emplace_back([&] { each = f.keep(); });
  for (std::thread& each : running) each.join();
  std::set<ERL_NIF_TERM> copies;
  for (const auto& each : kept) copies.insert(copy_in(*each));
  return copies.size();
}
UPCALL_NIF(pinned_copies_of_threads, upcall::pinned);
#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.KeptFunction");
