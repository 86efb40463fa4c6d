// What `mix upcall.bench` measures, in one file: most of the time that it takes to compile goes to
// the headers. The loop is the one of Bench.Callback.

#include <cstdint>
#include <thread>
#include <upcall.hpp>

namespace {

using int64_function = upcall::function<std::int64_t(std::int64_t)>;
using async_int64_function = upcall::async_function<std::int64_t(std::int64_t)>;

template <class Function>
std::int64_t sum_of_calls(const Function& f, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + f(i & 1023)) % 1009;
  return sum;
}

std::int64_t frame(const int64_function& f, std::int64_t count) { return sum_of_calls(f, count); }

std::int64_t frame_once(const int64_function& f, std::int64_t x) { return f(x); }

upcall::task<std::int64_t> task(async_int64_function f, std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum = (sum + co_await f(i & 1023)) % 1009;
  co_return sum;
}

// Starts a thread, which sends `{:sum, sum}` at its end.
void thread(const int64_function& f, upcall::executor where, std::int64_t count,
            ErlNifPid receiver) {
  std::thread([on_executor = f.on(where), count, receiver] {
    const std::int64_t sum = sum_of_calls(on_executor, count);
    const upcall::owned_env message;
    ErlNifEnv* const env = message.get();
    enif_send(nullptr, &receiver, env,
              enif_make_tuple2(env, enif_make_atom(env, "sum"), enif_make_int64(env, sum)));
  }).detach();
}

}  // namespace

UPCALL_NIF(frame);
UPCALL_NIF(frame_once);
UPCALL_NIF(task);
UPCALL_NIF(thread);
UPCALL_INIT("Elixir.Bench.Own.Native");
