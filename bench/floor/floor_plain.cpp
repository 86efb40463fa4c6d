// What the VM and the operating system ask for, without Upcall.

#include <erl_nif.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace {

ERL_NIF_TERM square(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  ErlNifSInt64 x = 0;
  if (!enif_get_int64(env, argv[0], &x)) return enif_make_badarg(env);
  return enif_make_int64(env, x * x);
}

// Two threads that wake each other by turns.
class rally {
 public:
  // Waits for the turn of `side` and passes it on, `count` times.
  void play(bool side, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_turn == side; });
        m_turn = !side;
      }
      m_changed.notify_one();
    }
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_turn = false;
};

// condition_variable(count): `count` round trips, on a dirty IO scheduler and a thread.
ERL_NIF_TERM condition_variable(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  ErlNifSInt64 count = 0;
  if (!enif_get_int64(env, argv[0], &count)) return enif_make_badarg(env);
  rally between;
  std::thread other([&] { between.play(true, count); });
  between.play(false, count);
  other.join();
  return enif_make_int64(env, count);
}

// The loop of Bench.Callback, put aside by hand wherever it calls.
struct state {
  std::int64_t count;
  std::int64_t i;
  std::int64_t sum;
};

ErlNifResourceType* state_type = nullptr;

// Asks for the next call: `[x | state]`; or the sum.
ERL_NIF_TERM ask(ErlNifEnv* env, const state& at, ERL_NIF_TERM handle) {
  if (at.i == at.count) return enif_make_int64(env, at.sum);
  return enif_make_list_cell(env, enif_make_int64(env, at.i & 1023), handle);
}

ERL_NIF_TERM begin(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  ErlNifSInt64 count = 0;
  if (!enif_get_int64(env, argv[0], &count)) return enif_make_badarg(env);
  void* const memory = enif_alloc_resource(state_type, sizeof(state));
  const state& at = *std::construct_at(static_cast<state*>(memory), state{count, 0, 0});
  const ERL_NIF_TERM handle = enif_make_resource(env, memory);
  enif_release_resource(memory);
  return ask(env, at, handle);
}

// go_on(state, value of the call)
ERL_NIF_TERM go_on(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  void* memory = nullptr;
  ErlNifSInt64 value = 0;
  if (!enif_get_resource(env, argv[0], state_type, &memory) ||
      !enif_get_int64(env, argv[1], &value))
    return enif_make_badarg(env);
  state& at = *static_cast<state*>(memory);
  at.sum = (at.sum + value) % 1009;
  ++at.i;
  return ask(env, at, argv[0]);
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM) {
  state_type = enif_open_resource_type(env, nullptr, "state", nullptr, ERL_NIF_RT_CREATE, nullptr);
  return state_type == nullptr ? 1 : 0;
}

ErlNifFunc functions[] = {
    {"square", 1, square, 0},
    {"dirty_cpu_square", 1, square, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"dirty_io_square", 1, square, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"condition_variable", 1, condition_variable, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"begin", 1, begin, 0},
    {"go_on", 2, go_on, 0},
};

}  // namespace

ERL_NIF_INIT(Elixir.Bench.Floor.Plain, functions, load, nullptr, nullptr, nullptr)
