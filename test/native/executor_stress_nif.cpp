// Many calls through an executor from several threads of native code, each of whose outcomes is
// checked.

#include <erl_nif.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

// In the order of `upcall::error_kind`.
constexpr std::array kinds{"raised", "exited",      "threw",        "timed_out",
                           "down",   "no_executor", "calling_self", "overloaded"};

/// What several threads share. The last of them tells what came of all calls.
struct crowd {
  upcall::executor where;
  upcall::owned_term fun;
  std::int64_t calls_per_thread;
  std::int64_t longest_timeout;  // in microseconds; 0: none ever times out
  ErlNifPid told;

  std::atomic<int> running;
  std::atomic<std::int64_t> returned{0};
  std::array<std::atomic<std::int64_t>, kinds.size()> failed{};
  std::atomic<std::int64_t> lies{0};

  crowd(ErlNifEnv* env, const ERL_NIF_TERM argv[], int threads)
      : where(upcall::decode<upcall::executor>(env, argv[0])),
        fun(argv[1]),
        calls_per_thread(upcall::decode<std::int64_t>(env, argv[3])),
        longest_timeout(upcall::decode<std::int64_t>(env, argv[4])),
        told{},
        running(threads) {
    enif_self(env, &told);
  }

  void tell() const {
    const upcall::owned_env message;
    ErlNifEnv* const env = message.get();
    ERL_NIF_TERM counts = enif_make_new_map(env);
    const auto put = [&](const char* name, std::int64_t count) {
      enif_make_map_put(env, counts, enif_make_atom(env, name), enif_make_int64(env, count),
                        &counts);
    };
    put("returned", returned);
    put("lies", lies);
    for (std::size_t i = 0; i < kinds.size(); ++i) put(kinds[i], failed[i]);
    enif_send(nullptr, &told, env, enif_make_tuple2(env, enif_make_atom(env, "crowd"), counts));
  }
};

/// The function gives x, or raises, exits or throws it; whether that is what came.
bool is_true(const upcall::result<>& outcome, std::int64_t x, bool too_early) {
  if (outcome) return outcome.value().as<std::int64_t>() == x;
  const upcall::error& failure = outcome.error();
  switch (failure.kind()) {
    case upcall::error_kind::raised:
      return std::string_view(failure.what()).ends_with(" " + std::to_string(x));
    case upcall::error_kind::exited:
    case upcall::error_kind::threw:
      return failure.reason().as<std::int64_t>() == x;
    case upcall::error_kind::timed_out:
      return !too_early;
    default:
      return true;
  }
}

void call_once(crowd& all, std::int64_t x, std::minstd_rand& random) {
  const std::chrono::nanoseconds timeout =
      all.longest_timeout == 0 ? upcall::infinity
                               : std::chrono::microseconds(std::uniform_int_distribution(
                                     std::int64_t{0}, all.longest_timeout)(random));
  const auto start = std::chrono::steady_clock::now();
  const upcall::result<> outcome =
      upcall::apply(nullptr, all.where, all.fun, std::tuple(x), timeout);
  const bool too_early = std::chrono::steady_clock::now() - start < timeout;
  if (outcome) {
    ++all.returned;
  } else {
    ++all.failed.at(static_cast<std::size_t>(outcome.error().kind()));
  }
  if (!is_true(outcome, x, too_early)) ++all.lies;
}

// crowd(executor, fun, threads, calls_per_thread, longest_timeout): each call passes another
// integer. At the end, `{:crowd, counts}` comes to the calling process.
ERL_NIF_TERM start_crowd(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const auto threads = upcall::decode<std::int64_t>(env, argv[2]);
    const auto all = std::make_shared<crowd>(env, argv, static_cast<int>(threads));
    for (std::int64_t number = 0; number < threads; ++number) {
      std::thread([all, number] {
        std::minstd_rand random(static_cast<unsigned>(number + 1));
        for (std::int64_t i = 0; i < all->calls_per_thread; ++i)
          call_once(*all, number * all->calls_per_thread + i, random);
        if (--all->running == 0) all->tell();
      }).detach();
    }
    return enif_make_atom(env, "ok");
  });
}

/// What threads that cast share. The last of them tells which casts were refused.
struct cast_crowd_state {
  cast_crowd_state(upcall::executor_function<void(std::int64_t)> f, std::int64_t casts,
                   const ErlNifPid& to, int threads)
      : bound(std::move(f)), casts_per_thread(casts), told(to), running(threads) {}

  upcall::executor_function<void(std::int64_t)> bound;
  std::int64_t casts_per_thread;
  ErlNifPid told;
  std::atomic<int> running;
  std::mutex mutex{};
  std::vector<std::int64_t> refused{};

  void tell() const {
    const upcall::owned_env message;
    ErlNifEnv* const env = message.get();
    enif_send(nullptr, &told, env,
              enif_make_tuple2(env, enif_make_atom(env, "cast_crowd"),
                               upcall::encode<std::vector<std::int64_t>>(env, refused)));
  }
};

// cast_crowd(f, executor, threads, casts_per_thread, told): casts with 0, 1, …, each another. At
// the end, `{:cast_crowd, refused}` comes to `told`.
void start_cast_crowd(upcall::kept_function<void(std::int64_t)> f, upcall::executor where,
                      std::int64_t threads, std::int64_t casts_per_thread, ErlNifPid told) {
  const auto all = std::make_shared<cast_crowd_state>(f.on(where), casts_per_thread, told,
                                                      static_cast<int>(threads));
  for (std::int64_t number = 0; number < threads; ++number) {
    std::thread([all, number] {
      for (std::int64_t i = 0; i < all->casts_per_thread; ++i) {
        const std::int64_t x = number * all->casts_per_thread + i;
        if (all->bound.cast(x)) continue;
        const std::lock_guard locked(all->mutex);
        all->refused.push_back(x);
      }
      if (--all->running == 0) all->tell();
    }).detach();
  }
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }
int upgrade(ErlNifEnv* env, void**, void**, ERL_NIF_TERM info) { return upcall::load(env, info); }

ErlNifFunc functions[] = {
    {"crowd", 5, start_crowd, 0},
    UPCALL_ENTRY("cast_crowd", start_cast_crowd),
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.ExecutorStress, functions, load, nullptr, upgrade, nullptr)
