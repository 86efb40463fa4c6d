// Destructors of resources that tell Elixir something, on every thread that lets one go; and plain
// C++ code on schedulers, which has no environment to send from.

#include <erl_nif.h>
#include <pthread.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <vector>

#include "telling.hpp"

namespace {

using upcall::executor;
using upcall::resource;

/// How many casts were accepted, refused, and are neither yet.
std::tuple<std::int64_t, std::int64_t, std::int64_t> counts() {
  const std::int64_t ended = accepted + refused;
  return {accepted, refused, begun - ended};
}

// ---- resources of ours ----

resource<teller> make(kept_function f, executor where, std::int64_t number, way how) {
  return upcall::make_resource<teller>(f, where, number, how);
}

std::vector<resource<teller>> make_many(kept_function f, executor where, std::int64_t count) {
  std::vector<resource<teller>> made;
  for (std::int64_t number = 1; number <= count; ++number)
    made.push_back(upcall::make_resource<teller>(f, where, number, way::cast));
  return made;
}

// Lets go of one on a thread of its own.
void drop_on_thread(kept_function f, executor where, std::int64_t number) {
  std::thread([held = upcall::make_resource<teller>(f, where, number, way::cast)] {}).join();
}

// Lets go of one on the scheduler that runs it.
void drop_here(kept_function f, executor where, std::int64_t number) {
  const auto held = upcall::make_resource<teller>(f, where, number, way::cast);
}

// The same with an object of its own, which is destroyed where the body runs.
void leave_scope(kept_function f, executor where, std::int64_t number) {
  const teller own(f, where, number, way::cast);
}

// Is killed while it holds a resource and an object of its own.
void hold(kept_function f, executor where, std::int64_t number,
          upcall::function<void()> suspended) {
  const teller own(f, where, number, way::cast);
  const auto held = upcall::make_resource<teller>(f, where, number + 1, way::cast);
  suspended();
}

// Goes on in a dirty NIF after its process was killed, of which it tells by a first cast.
struct step_env {
  ErlNifEnv* env;
};

}  // namespace

template <>
struct upcall::codec<step_env> {
  static step_env decode(ErlNifEnv* env, ERL_NIF_TERM) { return {env}; }
};

namespace {

void outlive(step_env step, kept_function f, executor where, std::int64_t number) {
  const teller own(f, where, number, way::cast);
  cast(f.on(where), 0, here());
  while (enif_is_current_process_alive(step.env) != 0) std::this_thread::yield();
}

// ---- plain C++ code, which this library knows no environment of ----

struct caster {
  bound_function tell;
  std::int64_t first;
  std::int64_t last;

  void run() const {
    for (std::int64_t number = first; number <= last; ++number) cast(tell, number, here());
  }
};

resource<caster> make_caster(kept_function f, executor where, std::int64_t first,
                             std::int64_t last) {
  return upcall::make_resource<caster>(f.on(where), first, last);
}

// cast_plain(caster), on whatever scheduler the table says.
ERL_NIF_TERM cast_plain(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    upcall::decode<upcall::resource<caster>>(env, argv[0])->run();
    return enif_make_atom(env, "ok");
  });
}

// The same, and then calls `fun`, with an environment.
ERL_NIF_TERM cast_and_apply(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    upcall::decode<upcall::resource<caster>>(env, argv[0])->run();
    return upcall::apply(env, argv[1], argv[2], argv[3]).to_term(env);
  });
}

// The same, while no thread can be started.
ERL_NIF_TERM cast_without_threads(ErlNifEnv* env, int arity, const ERL_NIF_TERM argv[]) {
#if defined(__GLIBC__)
  pthread_attr_t usual;
  pthread_attr_t huge;
  pthread_getattr_default_np(&usual);
  pthread_attr_init(&huge);
  pthread_attr_setstacksize(&huge, std::size_t{1} << 60);
  pthread_setattr_default_np(&huge);
  const ERL_NIF_TERM outcome = cast_plain(env, arity, argv);
  pthread_setattr_default_np(&usual);
  return outcome;
#else
  return enif_raise_exception(env, enif_make_atom(env, "not_here"));
#endif
}

// call_plain(caster): calls and waits.
ERL_NIF_TERM call_plain(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const auto from = upcall::decode<upcall::resource<caster>>(env, argv[0]);
    from->tell(from->first, here());
    return enif_make_atom(env, "ok");
  });
}

std::optional<upcall::future<void>> asked;
ERL_NIF_TERM async_plain(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    const auto from = upcall::decode<upcall::resource<caster>>(env, argv[0]);
    asked.emplace(from->tell.submit(from->first, here()));
    return enif_make_atom(env, "ok");
  });
}
void await_asked() {
  auto waited = std::move(*asked);
  asked.reset();
  waited.get();
}

// ---- resources of another library ----

ErlNifResourceType* foreign_type = nullptr;

// make_foreign(caster): lets it cast when it is destroyed, in a destructor that Upcall knows
// nothing of.
ERL_NIF_TERM make_foreign(ErlNifEnv* env, int, const ERL_NIF_TERM argv[]) {
  return upcall::catching(env, [&] {
    void* const place = enif_alloc_resource(foreign_type, sizeof(resource<caster>));
    std::construct_at(static_cast<resource<caster>*>(place),
                      upcall::decode<upcall::resource<caster>>(env, argv[0]));
    const ERL_NIF_TERM made = enif_make_resource(env, place);
    enif_release_resource(place);
    return made;
  });
}

void destroy_foreign(ErlNifEnv*, void* object) {
  auto* const held = static_cast<resource<caster>*>(object);
  (*held)->run();
  std::destroy_at(held);
}

int load(ErlNifEnv* env, void**, ERL_NIF_TERM info) {
  const auto flags = static_cast<ErlNifResourceFlags>(ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER);
  foreign_type = enif_open_resource_type(env, nullptr, "foreign", destroy_foreign, flags, nullptr);
  return upcall::load(env, info);
}
int upgrade(ErlNifEnv* env, void** priv_data, void**, ERL_NIF_TERM info) {
  return load(env, priv_data, info);
}

ErlNifFunc functions[] = {
    UPCALL_ENTRY("make", make),
    UPCALL_ENTRY("make_many", make_many),
    UPCALL_ENTRY("drop_on_thread", drop_on_thread),
    UPCALL_ENTRY("drop_here", drop_here),
    UPCALL_ENTRY("drop_on_dirty_cpu", drop_here, upcall::dirty_cpu),
    UPCALL_ENTRY("drop_on_dirty_io", drop_here, upcall::dirty_io),
    UPCALL_ENTRY("drop_pinned", drop_here, upcall::pinned),
    UPCALL_ENTRY("leave_scope", leave_scope),
    UPCALL_ENTRY("leave_scope_on_dirty_cpu", leave_scope, upcall::dirty_cpu),
    UPCALL_ENTRY("leave_scope_on_dirty_io", leave_scope, upcall::dirty_io),
    UPCALL_ENTRY("leave_scope_pinned", leave_scope, upcall::pinned),
    UPCALL_ENTRY("hold", hold),
    UPCALL_ENTRY("outlive_on_dirty_cpu", outlive, upcall::dirty_cpu),
    UPCALL_ENTRY("outlive_on_dirty_io", outlive, upcall::dirty_io),
    UPCALL_ENTRY("make_caster", make_caster),
    UPCALL_ENTRY("await_asked", await_asked),
    UPCALL_ENTRY("counts", counts),
    {"cast_on_normal", 1, cast_plain, 0},
    {"cast_on_dirty_cpu", 1, cast_plain, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"cast_on_dirty_io", 1, cast_plain, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"cast_and_apply", 4, cast_and_apply, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"cast_without_threads", 1, cast_without_threads, 0},
    {"async_plain", 1, async_plain, 0},
    {"call_on_dirty_io", 1, call_plain, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"make_foreign", 1, make_foreign, 0},
    UPCALL_ENTRIES,
};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.Destructor, functions, load, nullptr, upgrade, nullptr)
