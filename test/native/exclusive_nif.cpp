// One native object, many callers: order, nesting, kills at every moment, frames that are parked.

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "bodies.hpp"

namespace {

struct journal {
  std::int64_t count = 0;
  std::vector<std::string> finished;  // by whom, in order
};
using shared_journal = upcall::exclusive<journal>;
using handle = upcall::resource<shared_journal>;

body<handle> open() { UPCALL_RETURN upcall::make_resource<shared_journal>(); }
UPCALL_NIF(open);

// Neither atomic nor in one step: only exclusion makes the sum right.
body<std::int64_t> increment(handle shared, function<void()> between) {
  auto mine = UPCALL_AWAIT lock(*shared);
  const std::int64_t before = mine->count;
  UPCALL_AWAIT between();
  mine->count = before + 1;
  UPCALL_RETURN mine->count;
}
UPCALL_NIF(increment);

body<> use(handle shared, function<void()> inside) {
  const auto mine = UPCALL_AWAIT lock(*shared);
  UPCALL_AWAIT inside();
}
UPCALL_NIF(use);

body<bool> try_use(handle shared, function<void()> inside) {
  const auto mine = shared->try_lock();
  if (mine) UPCALL_AWAIT inside();
  UPCALL_RETURN mine.has_value();
}
UPCALL_NIF(try_use);

// Two objects at once, the first for longer.
body<> use_both(handle first, handle second, function<void()> inside) {
  const auto outer = UPCALL_AWAIT lock(*first);
  const auto inner = UPCALL_AWAIT lock(*second);
  UPCALL_AWAIT inside();
}
UPCALL_NIF(use_both);

// Twice by one native call.
body<> use_twice(handle shared, function<void()> inside) {
  const auto mine = UPCALL_AWAIT lock(*shared);
  {
    const auto again = UPCALL_AWAIT lock(*shared);
    UPCALL_AWAIT inside();
  }
  UPCALL_AWAIT inside();
}
UPCALL_NIF(use_twice);

// Writes to the object as it ends, so it must have it until then.
body<> sign(handle shared, std::string name, function<void()> inside) {
  auto mine = UPCALL_AWAIT lock(*shared);
  struct signature {
    ~signature() { of->finished.push_back(name); }
    decltype(mine)& of;
    std::string name;
  } const last{mine, std::move(name)};
  UPCALL_AWAIT inside();
}
UPCALL_NIF(sign);

// Has two objects, gives one up, and signs the other after a while.
body<> sign_late(handle first, handle second, std::string name, function<void()> inside) {
  auto mine = UPCALL_AWAIT lock(*first);
  struct signature {
    ~signature() {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      of->finished.push_back(name);
    }
    decltype(mine)& of;
    std::string name;
  } const last{mine, std::move(name)};
  const auto also = UPCALL_AWAIT lock(*second);
  UPCALL_AWAIT inside();
}
UPCALL_NIF(sign_late);

body<std::vector<std::string>> finished(handle shared) {
  const auto mine = UPCALL_AWAIT lock(*shared);
  UPCALL_RETURN mine->finished;
}
UPCALL_NIF(finished);

// What makes a frame park: it can neither return nor throw.
#if !defined(UPCALL_TEST_COROUTINES)
struct parks_at_end {
  ~parks_at_end() { f(); }  // NOLINT(bugprone-exception-escape)
  function<void()>& f;
};
#else
[[noreturn]] void fail() { throw std::runtime_error("a destructor"); }
struct parks_at_end {
  explicit parks_at_end(const function<void()>& /*inside*/) noexcept {}
  parks_at_end(const parks_at_end&) = delete;
  parks_at_end& operator=(const parks_at_end&) = delete;
  ~parks_at_end() {  // NOLINT(bugprone-exception-escape)
    if (upcall::is_abandoned()) fail();
  }
};
#endif

body<> use_and_park(handle shared, function<void()> inside) {
  const auto mine = UPCALL_AWAIT lock(*shared);
  const parks_at_end parked{inside};
  UPCALL_AWAIT inside();
}
UPCALL_NIF(use_and_park);

body<> wait_and_park(handle shared, function<void()> inside) {
  const parks_at_end parked{inside};
  const auto mine = UPCALL_AWAIT lock(*shared);
  UPCALL_AWAIT inside();
}
UPCALL_NIF(wait_and_park);

// Native state that outlives calls, and a hold in it.
struct box {
  std::optional<shared_journal::access> hold;
};
using box_handle = upcall::resource<box>;

body<box_handle> make_box() { UPCALL_RETURN upcall::make_resource<box>(); }
UPCALL_NIF(make_box);

body<> lock_into_box(handle shared, box_handle into, function<void()> inside) {
  into->hold.emplace(UPCALL_AWAIT lock(*shared));
  UPCALL_AWAIT inside();
}
UPCALL_NIF(lock_into_box);

body<> empty_box(box_handle emptied) {
  emptied->hold.reset();
  UPCALL_RETURN;
}
UPCALL_NIF(empty_box);

// ---- pinned calls ----

#if !defined(UPCALL_TEST_COROUTINES)

// The same on threads of their own.
UPCALL_NIF_AS("increment_pinned", &increment, upcall::pinned);
UPCALL_NIF_AS("use_pinned", &use, upcall::pinned);
UPCALL_NIF_AS("try_use_pinned", &try_use, upcall::pinned);
UPCALL_NIF_AS("sign_pinned", &sign, upcall::pinned);
UPCALL_NIF_AS("use_and_park_pinned", &use_and_park, upcall::pinned);

// Two objects at once, the first for longer, and signs the first.
void sign_both(handle first, handle second, std::string name, function<void()> inside) {
  const auto outer = first->lock();
  const auto also = second->lock();
  sign(first, std::move(name), std::move(inside));
}
UPCALL_NIF_AS("sign_both_pinned", &sign_both, upcall::pinned);

// Locks where it is decoded, which no codec may.
struct locked_early {
  shared_journal::access hold;
};

}  // namespace

template <>
struct upcall::codec<locked_early> {
  static locked_early decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return {upcall::decode<handle>(env, raw)->lock()};
  }
};

namespace {

void use_early(const locked_early& shared, function<void()> inside) {
  inside();
  shared.hold->count = 0;
}
UPCALL_NIF_AS("use_early_pinned", &use_early, upcall::pinned);

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Exclusive");
