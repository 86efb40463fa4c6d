// A library that changes: built twice, as version 1 and as version 2 (test/CMakeLists.txt).

#include <array>
#include <cstdint>
#include <thread>

#include "bodies.hpp"

#ifndef UPGRADE_VERSION
#define UPGRADE_VERSION 1
#endif

namespace {

// Tells a process of its end, for what lives in old code can't be asked.
class witness {
 public:
  explicit witness(ErlNifPid told) noexcept : m_told(told) {}
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  ~witness() {
    const upcall::detail::frame* running = upcall::detail::current_frame();
    const upcall::owned_env env;
    enif_send(running == nullptr ? nullptr : running->env(), &m_told, env.get(),
              enif_make_tuple2(env.get(), enif_make_atom(env.get(), "destroyed"),
                               enif_make_int(env.get(), UPGRADE_VERSION)));
  }

 private:
  ErlNifPid m_told;
};

body<std::int64_t> version() { UPCALL_RETURN UPGRADE_VERSION; }
UPCALL_NIF(version);

body<std::int64_t> call_twice(function<std::int64_t(std::int64_t)> f, ErlNifPid told) {
  const witness end(told);
  UPCALL_RETURN UPCALL_AWAIT f(UPGRADE_VERSION) + UPCALL_AWAIT f(UPGRADE_VERSION);
}
UPCALL_NIF(call_twice);
#if !defined(UPCALL_TEST_COROUTINES)
UPCALL_NIF_AS("call_twice_pinned", &call_twice, upcall::pinned);
#endif

// Never ends by itself.
#if defined(UPCALL_TEST_COROUTINES)
upcall::generator<std::int64_t> versions(ErlNifPid told) {
  const witness end(told);
  for (;;) co_yield UPGRADE_VERSION;
}
UPCALL_NIF(versions, upcall::chunk_size{1});
#else
void versions(ErlNifPid told) {
  const witness end(told);
  for (;;) upcall::yield_value(std::int64_t{UPGRADE_VERSION});
}
UPCALL_NIF(versions, upcall::yields<std::int64_t>, upcall::chunk_size{1});
#endif

// A thread that calls through an executor, and goes on whatever becomes of the module.
body<> start_thread(function<std::int64_t(std::int64_t)> f, upcall::executor where,
                    std::int64_t calls, ErlNifPid told) {
  std::thread([bound = f.on(where), calls, told] {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < calls; ++i) sum += bound.try_call(UPGRADE_VERSION).value_or(-1000);
    const upcall::owned_env env;
    enif_send(nullptr, &told, env.get(),
              enif_make_tuple2(env.get(), enif_make_atom(env.get(), "sum"),
                               enif_make_int64(env.get(), sum)));
  }).detach();
  UPCALL_RETURN;
}
UPCALL_NIF(start_thread);

// Versions differ in the layout of what they share with Elixir.
struct object {
#if UPGRADE_VERSION > 1
  std::int64_t added = -1;
#endif
  std::int64_t version = UPGRADE_VERSION;
};
using shared = upcall::resource<upcall::exclusive<object>>;

body<shared> make_object() { UPCALL_RETURN upcall::make_resource<upcall::exclusive<object>>(); }
UPCALL_NIF(make_object);

// A type whose name is longer than the 255 characters that the VM takes.
struct a_part_with_a_name_that_is_as_long_as_those_of_generated_code_are_in_practice {};
template <class...>
struct assembled {};
using long_name = assembled<
    assembled<a_part_with_a_name_that_is_as_long_as_those_of_generated_code_are_in_practice, int>,
    std::array<char, 1>, struct another_part_whose_name_takes_up_a_good_deal_of_room_as_well,
    struct and_a_third_one_to_be_quite_sure_that_the_whole_is_longer_than_the_limit>;
body<upcall::resource<upcall::exclusive<long_name>>> make_named() {
  UPCALL_RETURN upcall::make_resource<upcall::exclusive<long_name>>();
}
UPCALL_NIF(make_named);

// Suspends before and after it waits for the object.
body<std::int64_t> use(shared used, function<void()> before, function<void()> inside) {
  UPCALL_AWAIT before();
  const auto mine = UPCALL_AWAIT lock(*used);
  UPCALL_AWAIT inside();
  UPCALL_RETURN mine->version;
}
UPCALL_NIF(use);

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Upgrade");
