#pragma once

#include <erl_nif.h>

#include <array>
#include <memory>
#include <utility>

#include "../base/config.hpp"
#include "../term/resource_type.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class frame;

/// What Elixir holds of a suspended frame: a resource, made at its first suspension.
struct frame_handle {
  frame_handle(frame* made_by, unsigned dirty_flag, ERL_NIF_TERM pid) noexcept
      : suspended(made_by), owner(pid), dirty(dirty_flag) {}

  frame* suspended;    ///< null once it has ended
  ERL_NIF_TERM owner;  ///< the process: a local pid, which is a word
  unsigned dirty;
};

/// Elixir has let go of a frame. Threads: any scheduler, ours. (finisher.ipp)
void destroy_frame_handle(ErlNifEnv* env, void* object) noexcept;
inline resource_type frame_handle_type{"frame", &run_destructor<&destroy_frame_handle>};

/// Makes the handles of the frames that one thread runs, and keeps the last few for the next frame
/// of the same process: a resource is half the price of a native call with one upcall. The last
/// reference to a handle tells that its frame is abandoned, so it may be used again only where
/// nobody holds an older one: what the trampoline had is garbage of that process, and gone with it.
/// That of a frame which yields is part of a continuation, and anywhere. Old references don't pass
/// for those to the new frame, whose tokens are others; unless both ask about the same number.
class frame_handles {
 public:
  /// Makes the handle of `suspended`, a frame of the process `pid`, with one share in it.
  static frame_handle* make(frame* suspended, unsigned dirty_flag, ERL_NIF_TERM pid) noexcept {
    void* const made = enif_alloc_resource(frame_handle_type.type(), sizeof(frame_handle));
    return std::construct_at(static_cast<frame_handle*>(made), suspended, dirty_flag, pid);
  }

  /// Gives a handle for a frame of the process of `env`: one that was used before, or a new one.
  frame_handle* take(ErlNifEnv* env, frame* suspended, unsigned dirty_flag) noexcept {
    ErlNifPid self;
    enif_self(env, &self);
    kept& place = place_of(self.pid);
    if (place.handle != nullptr && place.handle->owner == self.pid &&
        place.type == frame_handle_type.type()) {
      frame_handle* const again = std::exchange(place.handle, nullptr);
      again->suspended = suspended;
      again->dirty = dirty_flag;
      return again;
    }
    return make(suspended, dirty_flag, self.pid);
  }

  /// Keeps the handle of a frame that has ended.
  void give(frame_handle* ended) noexcept {
    enif_keep_resource(ended);
    kept& place = place_of(ended->owner);
    if (place.handle != nullptr) enif_release_resource(place.handle);
    place = {ended, frame_handle_type.type()};
  }

 private:
  struct kept {
    frame_handle* handle = nullptr;
    ErlNifResourceType* type = nullptr;  // of the library as it was loaded then
  };

  kept& place_of(ERL_NIF_TERM pid) noexcept {
    // Pids are counted up; what kind of term it is are the lowest bits.
    return m_kept[(pid >> 4) % m_kept.size()];
  }

  std::array<kept, 16> m_kept{};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
