// What only coroutines do: tasks that await tasks, what they await, very many at once, and beside
// other bodies.

#include <malloc.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

#include "counted.hpp"

namespace {

using number_function = upcall::async_function<std::int64_t(std::int64_t)>;

// ---- tasks of tasks ----

upcall::task<std::int64_t> descend(number_function f, std::int64_t depth) {
  const counted object;
  if (depth == 0) co_return co_await f(0);
  co_return 1 + co_await descend(f, depth - 1);
}
UPCALL_NIF(descend);

upcall::task<> fail(std::string text) {
  const counted object;
  throw std::invalid_argument(text);
  co_return;
}

/// What a task has thrown passes through those that await it.
upcall::task<std::string> catch_from_task(number_function f, std::string text) {
  const counted object;
  std::string caught;
  try {
    co_await fail(text);
  } catch (const std::invalid_argument& e) {
    caught = e.what();
  }
  co_await f(1);
  co_return caught;
}
UPCALL_NIF(catch_from_task);

upcall::task<> fail_in_task(std::string text) {
  const counted object;
  co_await fail(std::move(text));
}
UPCALL_NIF(fail_in_task);

upcall::task<std::int64_t> add(number_function f, const std::vector<std::int64_t>& numbers) {
  std::int64_t sum = 0;
  for (const std::int64_t each : numbers) sum += co_await f(each);
  co_return sum;
}

/// Tasks that are made first, and awaited in another order; one is never begun.
upcall::task<std::vector<std::int64_t>> out_of_order(number_function f,
                                                     std::vector<std::int64_t> numbers) {
  const std::vector<std::int64_t> none;
  auto first = add(f, numbers);
  auto second = add(f, none);
  auto unused = descend(f, 5);
  const std::int64_t of_second = co_await std::move(second);
  const std::int64_t of_first = co_await std::move(first);
  co_return {of_first, of_second};
}
UPCALL_NIF(out_of_order);

upcall::task<> await_twice(number_function f) {
  auto once = descend(std::move(f), 0);
  co_await std::move(once);
  co_await std::move(once);  // NOLINT(bugprone-use-after-move): that is what is tested
}
UPCALL_NIF(await_twice);

upcall::task<std::int64_t> end_of_chain() { co_return 0; }
upcall::task<std::int64_t> chain(upcall::task<std::int64_t> inner) {
  const counted object;
  co_return 1 + co_await std::move(inner);
}
/// Makes a chain of tasks, which is awaited, or only destroyed.
upcall::task<std::int64_t> make_chain(std::int64_t length, bool awaits) {
  auto outermost = end_of_chain();
  for (std::int64_t i = 0; i < length; ++i) {
    auto longer = chain(std::move(outermost));
    std::destroy_at(&outermost);
    std::construct_at(&outermost, std::move(longer));
  }
  co_return awaits ? co_await std::move(outermost) : -1;
}
UPCALL_NIF(make_chain);

upcall::task<std::int64_t> moved_from() {
  static auto left = end_of_chain();
  auto taken = std::move(left);
  return std::move(left);  // NOLINT(bugprone-use-after-move): that is what is tested
}
UPCALL_NIF(moved_from);

// ---- what is awaited ----

upcall::task<std::string> upcase(std::string text) {
  const auto f =
      co_await upcall::async_function<std::string(std::string)>::named({"Elixir.String", "upcase"});
  co_return co_await f(text);
}
UPCALL_NIF(upcase);

upcall::task<> look_up(std::string module) {
  const std::string name = "Elixir." + module;
  const auto f = co_await upcall::async_function<void()>::named({name.c_str(), "no_such"});
  co_await f();
}
UPCALL_NIF(look_up);

/// A function is taken into a call of a temporary.
upcall::task<std::int64_t> call_temporary(
    upcall::async_function<number_function(std::int64_t)> make) {
  auto call = (co_await make(1))(2);
  co_await make(3);
  co_return co_await std::move(call);
}
UPCALL_NIF(call_temporary);

upcall::task<std::int64_t> call_executor(number_function f, upcall::executor where) {
  const counted object;
  const auto remote = f.on(where);
  auto pending = remote.submit(2);
  const std::int64_t here = co_await f(1);
  co_return here + co_await pending + co_await remote.submit(3);
}
UPCALL_NIF(call_executor);

upcall::task<> yield_unawaited() {
  upcall::give_time();
  upcall::give_time();
  co_return;
}
UPCALL_NIF(yield_unawaited);

/// What would wait in the middle of an expression.
upcall::task<std::int64_t> wait_in_place(number_function f, upcall::executor where) {
  co_return f.on(where)(1);
}
UPCALL_NIF(wait_in_place);

upcall::task<> lock_in_place() {
  upcall::exclusive<std::int64_t> object(0);
  const auto access = object.lock();
  co_return;
}
UPCALL_NIF(lock_in_place);

/// An answer that is not there is to be awaited; one that is, may be taken.
upcall::task<std::int64_t> get_in_place(number_function f, upcall::executor where, bool waits) {
  auto pending = f.on(where).submit(1);
  while (waits && !pending.is_ready()) co_await f(0);
  co_return pending.get();
}
UPCALL_NIF(get_in_place);

std::optional<upcall::future<std::int64_t>> shared_answer;
upcall::task<std::int64_t> await_shared(number_function f, upcall::executor where, bool asks) {
  if (asks) shared_answer.emplace(f.on(where).submit(1));
  co_return co_await *shared_answer;
}
UPCALL_NIF(await_shared);

upcall::task<> apply_in_place(number_function f, upcall::executor where) {
  upcall::apply(nullptr, where, f, std::tuple(1));
  co_return;
}
UPCALL_NIF(apply_in_place);

upcall::task<> yield_value_in_task() {
  upcall::yield_value(1);
  co_return;
}
UPCALL_NIF(yield_value_in_task);

// ---- objects ----

class account {
 public:
  upcall::task<std::int64_t> add(number_function f) {
    const counted object;
    for (std::int64_t i = 0; i < 3; ++i) m_sum += co_await f(i);
    co_return m_sum;
  }

 private:
  counted m_counted;
  std::int64_t m_sum = 0;
};

upcall::task<upcall::resource<account>> open_account() {
  co_return upcall::make_resource<account>();
}
UPCALL_NIF(open_account);
UPCALL_NIF_AS("add", &account::add);

// ---- beside other bodies ----

struct journal {
  std::vector<std::string> finished;  // by whom, in order
};
using shared_journal = upcall::exclusive<journal>;
using journal_handle = upcall::resource<shared_journal>;

upcall::task<journal_handle> open_journal() { co_return upcall::make_resource<shared_journal>(); }
UPCALL_NIF(open_journal);

upcall::task<std::vector<std::string>> finished(journal_handle shared) {
  const auto mine = co_await shared->async_lock();
  co_return mine->finished;
}
UPCALL_NIF(finished);

// Writes to the object as it ends, so it must have it until then.
struct signature {
  signature(shared_journal::access& written, std::string by) noexcept
      : of(written), name(std::move(by)) {}
  signature(const signature&) = delete;
  signature& operator=(const signature&) = delete;
  ~signature() { of->finished.push_back(name); }
  shared_journal::access& of;
  std::string name;
};

upcall::task<> sign(journal_handle shared, std::string name,
                    upcall::async_function<void()> inside) {
  auto mine = co_await shared->async_lock();
  const signature last(mine, std::move(name));
  co_await inside();
}
UPCALL_NIF_AS("sign_in_task", &sign);

void sign_in_place(journal_handle shared, std::string name, upcall::function<void()> inside) {
  auto mine = shared->lock();
  const signature last(mine, std::move(name));
  inside();
}
UPCALL_NIF_AS("sign_on_fiber", &sign_in_place);
UPCALL_NIF_AS("sign_pinned", &sign_in_place, upcall::pinned);

/// Has no use for its first argument, which nobody keeps.
upcall::task<std::int64_t> ignore(upcall::term, number_function f) { co_return co_await f(1); }
std::int64_t ignore_on_fiber(upcall::term, upcall::function<std::int64_t(std::int64_t)> f) {
  return f(1);
}
UPCALL_NIF(ignore);
UPCALL_NIF_AS("ignore_on_fiber", &ignore_on_fiber);

// ---- many ----

upcall::task<std::int64_t> hold(number_function f) { co_return co_await f(1) + 1; }
UPCALL_NIF(hold);

/// Bytes that C++ has allocated in this process.
upcall::task<std::uint64_t> native_heap() {
  const auto info = ::mallinfo2();
  co_return info.uordblks + info.hblkhd;
}
UPCALL_NIF(native_heap);

// ---- an error that can go nowhere ----

[[noreturn]] void fail_with(const std::string& text) { throw std::runtime_error(text); }

// NOLINTBEGIN(bugprone-exception-escape)
upcall::task<> terminate_in_task(number_function f, std::string text) {
  const counted object;
  co_await f(0);
  const auto fails = [&]() noexcept { fail_with(text); };
  fails();
}
UPCALL_NIF(terminate_in_task);

struct throws_when_destroyed {
  explicit throws_when_destroyed(bool throws) noexcept : m_throws(throws) {}
  throws_when_destroyed(const throws_when_destroyed&) = delete;
  throws_when_destroyed& operator=(const throws_when_destroyed&) = delete;
  ~throws_when_destroyed() {
    if (m_throws) fail_with("a destructor");
  }
  bool m_throws;
};
upcall::task<> throw_when_abandoned(number_function f) {
  const throws_when_destroyed object(true);
  co_await f(1);
}
UPCALL_NIF(throw_when_abandoned);
// NOLINTEND(bugprone-exception-escape)

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Task");
