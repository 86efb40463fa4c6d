#include <chrono>
#include <cstdint>
#include <string>
#include <upcall.hpp>
#include <upcall/structs.hpp>

#include "event.hpp"
#include "owner.hpp"
#include "watch.hpp"

// What lib/watcher/native.ex declares.

namespace watcher {

struct counts {
  std::uint64_t handled;
  std::uint64_t failed;
  std::uint64_t retried;
  std::uint64_t overflows;
};

}  // namespace watcher

template <>
struct upcall::codec<watcher::counts>
    : upcall::struct_codec<watcher::counts, "Elixir.Watcher.Counts",
                           upcall::field<&watcher::counts::handled, "handled">,
                           upcall::field<&watcher::counts::failed, "failed">,
                           upcall::field<&watcher::counts::retried, "retried">,
                           upcall::field<&watcher::counts::overflows, "overflows">> {};

namespace watcher {

using handle = upcall::resource<watch>;

handle start(const std::string& dir, const upcall::kept_function<void(event)>& handle_event,
             const upcall::executor& pool, std::int64_t timeout_ms, const ErlNifPid& belongs_to) {
  return upcall::make_resource<watch>(
      dir, handle_event.on(pool, {.timeout = std::chrono::milliseconds(timeout_ms)}),
      owner(belongs_to));
}
UPCALL_NIF(start, upcall::dirty_io);  // the directory may be on a slow disk

// It waits for the thread, which must not happen on a normal scheduler.
void stop(const handle& watched) { watched->stop(); }
UPCALL_NIF(stop, upcall::dirty_io);

counts count(const handle& watched) {
  const tally& so_far = watched->counts();
  return {so_far.handled, so_far.failed, so_far.retried, so_far.overflows};
}
UPCALL_NIF(count);

int threads() { return live_threads; }
UPCALL_NIF(threads);

}  // namespace watcher

UPCALL_INIT("Elixir.Watcher.Native");
