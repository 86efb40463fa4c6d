#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>

namespace watcher {

/// See lib/watcher/event.ex.
enum class kind {
  started,
  created,
  modified,
  closed,
  deleted,
  moved_from,
  moved_to,
  overflow,
  gone
};

/// What has happened: in Elixir, a `%Watcher.Event{}`.
struct event {
  watcher::kind kind{};
  std::string path;
  bool is_directory = false;
  std::optional<std::uint32_t> cookie;  ///< the same for both halves of a move
};

}  // namespace watcher

template <>
struct upcall::codec<watcher::kind>
    : upcall::enum_codec<watcher::kind, upcall::named<watcher::kind::started, "started">,
                         upcall::named<watcher::kind::created, "created">,
                         upcall::named<watcher::kind::modified, "modified">,
                         upcall::named<watcher::kind::closed, "closed">,
                         upcall::named<watcher::kind::deleted, "deleted">,
                         upcall::named<watcher::kind::moved_from, "moved_from">,
                         upcall::named<watcher::kind::moved_to, "moved_to">,
                         upcall::named<watcher::kind::overflow, "overflow">,
                         upcall::named<watcher::kind::gone, "gone">> {};

template <>
struct upcall::codec<watcher::event>
    : upcall::struct_codec<watcher::event, "Elixir.Watcher.Event",
                           upcall::field<&watcher::event::kind, "kind">,
                           upcall::field<&watcher::event::path, "path">,
                           upcall::field<&watcher::event::is_directory, "directory?">,
                           upcall::field<&watcher::event::cookie, "cookie">> {};
