// Calls through executors, from every kind of thread.

#include <erl_nif.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <thread>
#include <upcall.hpp>
#include <utility>

namespace {

// NIFs on dirty IO schedulers that are in `apply` just now.
std::atomic<int> in_apply{0};
struct counted_in_apply {
  counted_in_apply() noexcept { ++in_apply; }
  counted_in_apply(const counted_in_apply&) = delete;
  counted_in_apply& operator=(const counted_in_apply&) = delete;
  ~counted_in_apply() { --in_apply; }
};

std::chrono::nanoseconds timeout_of(ErlNifEnv* env, ERL_NIF_TERM raw) {
  ErlNifSInt64 milliseconds = 0;
  return enif_get_int64(env, raw, &milliseconds) ? std::chrono::milliseconds(milliseconds)
                                                 : upcall::infinity;
}

ERL_NIF_TERM apply_with_timeout(ErlNifEnv* env, const ERL_NIF_TERM argv[]) {
  if (enif_is_atom(env, argv[3]) && enif_is_identical(argv[3], enif_make_atom(env, "default")))
    return upcall::apply(env, argv[0], argv[1], argv[2]).to_term(env);
  return upcall::apply(env, argv[0], argv[1], argv[2], timeout_of(env, argv[3])).to_term(env);
}

// apply(pid_or_name, fun, params, timeout), on whatever scheduler the table says. The timeout is in
// milliseconds, `:default` or `:infinity`.
ERL_NIF_TERM apply(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const counted_in_apply counted;
    return apply_with_timeout(env, argv);
  });
}

ERL_NIF_TERM applying(ErlNifEnv* env, int, const ERL_NIF_TERM[]) {
  return enif_make_int(env, in_apply);
}

// What a thread of ours is to call, in an environment of its own.
struct thread_call {
  upcall::executor where;
  upcall::owned_term fun;
  upcall::owned_term params;
  std::chrono::nanoseconds timeout;

  [[nodiscard]] upcall::result<> run() const {
    return upcall::apply(nullptr, where, fun, params, timeout);
  }
};

thread_call call_of(ErlNifEnv* env, const ERL_NIF_TERM argv[]) {
  return {upcall::decode<upcall::executor>(env, argv[0]), upcall::owned_term(argv[1]),
          upcall::owned_term(argv[2]), timeout_of(env, argv[3])};
}

// apply_thread(executor, fun, params, timeout): calls on a thread that is not the VM's, which sends
// `{:thread, result}` to the calling process at the end.
ERL_NIF_TERM apply_thread(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    ErlNifPid self;
    enif_self(env, &self);
    std::thread([self, call = call_of(env, argv)] {
      const upcall::owned_env message;
      ErlNifEnv* const in = message.get();
      ERL_NIF_TERM outcome = 0;
      try {
        outcome = call.run().to_term(in);
      } catch (const upcall::error& failure) {
        outcome = failure.exception(in);
      }
      enif_send(nullptr, &self, in, enif_make_tuple2(in, enif_make_atom(in, "thread"), outcome));
    }).detach();
    return enif_make_atom(env, "ok");
  });
}

// The same, but waits for the thread: what a dirty CPU scheduler is not to do.
ERL_NIF_TERM apply_behind_its_back(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    std::promise<upcall::result<>> done;
    auto outcome = done.get_future();
    std::thread([&done, call = call_of(env, argv)] {
      done.set_value_at_thread_exit(call.run());
    }).detach();
    return outcome.get().to_term(env);
  });
}

// An outcome that a frame returns.
struct told {
  upcall::result<> outcome;
};

}  // namespace

template <>
struct upcall::codec<told> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const told& value) {
    return value.outcome.to_term(env);
  }
};

namespace {

told apply_frame(upcall::executor where, upcall::owned_term fun, upcall::owned_term params,
                 std::int64_t milliseconds) {
  return {upcall::apply(nullptr, where, fun, params, std::chrono::milliseconds(milliseconds))};
}

// apply_typed(executor, fun, x): parameters that have codecs, a kept function.
std::int64_t apply_typed(upcall::executor where,
                         upcall::kept_function<std::int64_t(std::int64_t)> f, std::int64_t x) {
  return upcall::apply(nullptr, where, f, std::tuple(x)).value().as<std::int64_t>();
}

// stack_trace(executor, fun): what `fun` raised with, for who asks.
ERL_NIF_TERM stack_trace(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const upcall::result<> outcome =
        upcall::apply(env, argv[0], argv[1], enif_make_list(env, 0), std::chrono::seconds(60));
    return outcome.error().stack_trace().copy_to(env);
  });
}

// value(executor, fun): lets an error pass.
ERL_NIF_TERM value(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    return upcall::apply(env, argv[0], argv[1], enif_make_list(env, 0), std::chrono::seconds(60))
        .value()
        .copy_to(env);
  });
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }
int upgrade(ErlNifEnv* env, void**, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }

ErlNifFunc functions[] = {
    {"apply_io", 4, apply, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"apply_cpu", 4, apply, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"apply_normal", 4, apply, 0},
    {"apply_thread", 4, apply_thread, 0},
    {"cpu_waits", 4, apply_behind_its_back, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"io_waits", 4, apply_behind_its_back, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"applying", 0, applying, 0},
    {"stack_trace", 2, stack_trace, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"value", 2, value, ERL_NIF_DIRTY_JOB_IO_BOUND},
    UPCALL_ENTRY("apply_frame", apply_frame),
    UPCALL_ENTRY("apply_typed", apply_typed),
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.Executor, functions, load, nullptr, upgrade, nullptr)
