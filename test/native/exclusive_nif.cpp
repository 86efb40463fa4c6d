// One native object, many callers: order, nesting, kills at every moment, frames that are parked.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

namespace {

struct journal {
  std::int64_t count = 0;
  std::vector<std::string> finished;  // by whom, in order
};
using shared_journal = upcall::exclusive<journal>;
using handle = upcall::resource<shared_journal>;

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

handle open() { return upcall::make_resource<shared_journal>(); }
UPCALL_NIF(open);

// Neither atomic nor in one step: only exclusion makes the sum right.
std::int64_t increment(handle shared, upcall::function<void()> between) {
  auto mine = shared->lock();
  const std::int64_t before = mine->count;
  between();
  mine->count = before + 1;
  return mine->count;
}
UPCALL_NIF(increment);

void use(handle shared, upcall::function<void()> inside) {
  const auto mine = shared->lock();
  inside();
}
UPCALL_NIF(use);

bool try_use(handle shared, upcall::function<void()> inside) {
  const auto mine = shared->try_lock();
  if (mine) inside();
  return mine.has_value();
}
UPCALL_NIF(try_use);

// Two objects at once, the first for longer.
void use_both(handle first, handle second, upcall::function<void()> inside) {
  const auto outer = first->lock();
  const auto inner = second->lock();
  inside();
}
UPCALL_NIF(use_both);

// Twice by one native call.
void use_twice(handle shared, upcall::function<void()> inside) {
  const auto mine = shared->lock();
  {
    const auto again = shared->lock();
    inside();
  }
  inside();
}
UPCALL_NIF(use_twice);

// Writes to the object as it ends, so it must have it until then.
void sign(handle shared, std::string name, upcall::function<void()> inside) {
  auto mine = shared->lock();
  struct signature {
    ~signature() { of->finished.push_back(name); }
    decltype(mine)& of;
    std::string name;
  } const last{mine, std::move(name)};
  inside();
}
UPCALL_NIF(sign);

// Has two objects, gives one up, and signs the other after a while.
void sign_late(handle first, handle second, std::string name, upcall::function<void()> inside) {
  auto mine = first->lock();
  struct signature {
    ~signature() {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      of->finished.push_back(name);
    }
    decltype(mine)& of;
    std::string name;
  } const last{mine, std::move(name)};
  const auto also = second->lock();
  inside();
}
UPCALL_NIF(sign_late);

std::vector<std::string> finished(handle shared) { return shared->lock()->finished; }
UPCALL_NIF(finished);

// The same on threads of their own.
UPCALL_NIF_AS("increment_pinned", &increment, upcall::pinned);
UPCALL_NIF_AS("use_pinned", &use, upcall::pinned);
UPCALL_NIF_AS("try_use_pinned", &try_use, upcall::pinned);
UPCALL_NIF_AS("sign_pinned", &sign, upcall::pinned);

// Two objects at once, the first for longer, and signs the first.
void sign_both(handle first, handle second, std::string name, upcall::function<void()> inside) {
  const auto outer = first->lock();
  const auto also = second->lock();
  sign(first, std::move(name), std::move(inside));
}
UPCALL_NIF_AS("sign_both_pinned", &sign_both, upcall::pinned);

void use_early(const locked_early& shared, upcall::function<void()> inside) {
  inside();
  shared.hold->count = 0;
}
UPCALL_NIF_AS("use_early_pinned", &use_early, upcall::pinned);

// What makes a frame park: it can neither return nor throw.
struct calls_at_end {
  ~calls_at_end() { f(); }  // NOLINT(bugprone-exception-escape)
  upcall::function<void()>& f;
};

void use_and_park(handle shared, upcall::function<void()> inside) {
  const auto mine = shared->lock();
  const calls_at_end parked{inside};
  inside();
}
UPCALL_NIF(use_and_park);
UPCALL_NIF_AS("use_and_park_pinned", &use_and_park, upcall::pinned);

void wait_and_park(handle shared, upcall::function<void()> inside) {
  const calls_at_end parked{inside};
  const auto mine = shared->lock();
  inside();
}
UPCALL_NIF(wait_and_park);

// Native state that outlives calls, and a hold in it.
struct box {
  std::optional<shared_journal::access> hold;
};
using box_handle = upcall::resource<box>;

box_handle make_box() { return upcall::make_resource<box>(); }
UPCALL_NIF(make_box);

void lock_into_box(handle shared, box_handle into, upcall::function<void()> inside) {
  into->hold.emplace(shared->lock());
  inside();
}
UPCALL_NIF(lock_into_box);

void empty_box(box_handle emptied) { emptied->hold.reset(); }
UPCALL_NIF(empty_box);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Exclusive");
