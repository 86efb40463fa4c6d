// Calls of an Elixir function from threads, as one writes them by hand: a message to a process, and
// a condition variable that its answer notifies.

#include <erl_nif.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace {

// Where a thread waits for the answer of a call. Used again for the next one.
struct meeting {
  std::mutex mutex;
  std::condition_variable answered;
  bool has_answer = false;
  std::int64_t answer = 0;
};

ErlNifResourceType* meeting_type = nullptr;

meeting* make_meeting() {
  return std::construct_at(
      static_cast<meeting*>(enif_alloc_resource(meeting_type, sizeof(meeting))));
}

// Sends `{:call, meeting, fun, x}` by way of `message`, and waits. `sender` is the environment of
// the NIF on a scheduler, null on a thread.
std::int64_t call(ErlNifEnv* sender, ErlNifEnv* message, const ErlNifPid& server, meeting& here,
                  ERL_NIF_TERM fun, std::int64_t x) {
  std::unique_lock lock(here.mutex);
  here.has_answer = false;
  enif_send(
      sender, &server, message,
      enif_make_tuple4(message, enif_make_atom(message, "call"), enif_make_resource(message, &here),
                       enif_make_copy(message, fun), enif_make_int64(message, x)));
  here.answered.wait(lock, [&] { return here.has_answer; });
  return here.answer;
}

// answer(meeting, value), by which the server answers.
ERL_NIF_TERM answer(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  void* object = nullptr;
  ErlNifSInt64 value = 0;
  if (!enif_get_resource(env, argv[0], meeting_type, &object) ||
      !enif_get_int64(env, argv[1], &value)) {
    return enif_make_badarg(env);
  }
  auto* const there = static_cast<meeting*>(object);
  {
    const std::lock_guard lock(there->mutex);
    there->has_answer = true;
    there->answer = value;
  }
  there->answered.notify_one();
  return enif_make_atom(env, "ok");
}

void call_many(ErlNifPid server, ErlNifEnv* kept, ERL_NIF_TERM fun, std::int64_t count,
               ErlNifPid receiver) {
  meeting* const here = make_meeting();
  ErlNifEnv* const message = enif_alloc_env();
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum = (sum + call(nullptr, message, server, *here, fun, i & 1023)) % 1009;
    enif_clear_env(message);
  }
  enif_send(
      nullptr, &receiver, message,
      enif_make_tuple2(message, enif_make_atom(message, "sum"), enif_make_int64(message, sum)));
  enif_free_env(message);
  enif_free_env(kept);
  enif_release_resource(here);
}

// many(server, fun, count): starts a thread that makes the calls, and sends `{:sum, sum}` at its
// end.
ERL_NIF_TERM many(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  ErlNifPid server;
  ErlNifSInt64 count = 0;
  ErlNifPid self;
  if (!enif_whereis_pid(env, argv[0], &server) || !enif_get_int64(env, argv[2], &count))
    return enif_make_badarg(env);
  ErlNifEnv* const kept = enif_alloc_env();
  std::thread(call_many, server, kept, enif_make_copy(kept, argv[1]), count, *enif_self(env, &self))
      .detach();
  return enif_make_atom(env, "ok");
}

// once(server, fun, x), on a dirty IO scheduler.
ERL_NIF_TERM once(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  ErlNifPid server;
  ErlNifSInt64 x = 0;
  if (!enif_whereis_pid(env, argv[0], &server) || !enif_get_int64(env, argv[2], &x))
    return enif_make_badarg(env);
  meeting* const here = make_meeting();
  ErlNifEnv* const message = enif_alloc_env();
  const std::int64_t value = call(env, message, server, *here, argv[1], x);
  enif_free_env(message);
  enif_release_resource(here);
  return enif_make_int64(env, value);
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM) {
  meeting_type = enif_open_resource_type(
      env, nullptr, "meeting",
      [](ErlNifEnv*, void* object) { std::destroy_at(static_cast<meeting*>(object)); },
      ERL_NIF_RT_CREATE, nullptr);
  return meeting_type == nullptr ? 1 : 0;
}

ErlNifFunc functions[] = {
    {"many", 3, many, 0},
    {"once", 3, once, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"answer", 2, answer, 0},
};

}  // namespace

ERL_NIF_INIT(Elixir.Bench.Blocking.Common.Native, functions, load, nullptr, nullptr, nullptr)
