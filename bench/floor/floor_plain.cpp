// What the VM and the operating system ask for, without Upcall.

#include <erl_nif.h>

#include <condition_variable>
#include <cstdint>
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

ErlNifFunc functions[] = {
    {"square", 1, square, 0},
    {"dirty_cpu_square", 1, square, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"dirty_io_square", 1, square, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"condition_variable", 1, condition_variable, ERL_NIF_DIRTY_JOB_IO_BOUND},
};

}  // namespace

ERL_NIF_INIT(Elixir.Bench.Floor.Plain, functions, nullptr, nullptr, nullptr, nullptr)
