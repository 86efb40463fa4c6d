// A library that changes: built twice, as version 1 and as version 2 (test/CMakeLists.txt).

#include <cstdint>
#include <string>
#include <unordered_map>
#include <upcall.hpp>
#include <variant>
#include <vector>

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
    enif_send(running->env(), &m_told, env.get(),
              enif_make_tuple2(env.get(), enif_make_atom(env.get(), "destroyed"),
                               enif_make_int(env.get(), UPGRADE_VERSION)));
  }

 private:
  ErlNifPid m_told;
};

std::int64_t version() { return UPGRADE_VERSION; }
UPCALL_NIF(version);

std::int64_t call_twice(upcall::function<std::int64_t(std::int64_t)> f, ErlNifPid told) {
  const witness end(told);
  return f(UPGRADE_VERSION) + f(UPGRADE_VERSION);
}
UPCALL_NIF(call_twice);

// Versions differ in the layout of what they share with Elixir.
struct object {
#if UPGRADE_VERSION > 1
  std::int64_t added = -1;
#endif
  std::int64_t version = UPGRADE_VERSION;
};
using shared = upcall::resource<upcall::exclusive<object>>;

shared make_object() { return upcall::make_resource<upcall::exclusive<object>>(); }
UPCALL_NIF(make_object);

// The VM takes names of 255 characters at most.
using long_name = std::unordered_map<
    std::string, std::variant<std::vector<std::string>, std::unordered_map<std::string, double>>>;
upcall::resource<upcall::exclusive<long_name>> make_named() {
  return upcall::make_resource<upcall::exclusive<long_name>>();
}
UPCALL_NIF(make_named);

// Suspends before and after it waits for the object.
std::int64_t use(shared used, upcall::function<void()> before, upcall::function<void()> inside) {
  before();
  const auto mine = used->lock();
  inside();
  return mine->version;
}
UPCALL_NIF(use);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Upgrade");
