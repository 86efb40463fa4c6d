#pragma once

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <system_error>
#include <upcall.hpp>
#include <utility>
#include <vector>

#include "event.hpp"
#include "file_descriptor.hpp"

// The source of the events. To bind another library, replace this file and event.hpp.

namespace watcher {

/// Hears from the kernel what happens in a directory. The kernel keeps what has not been read, up
/// to /proc/sys/fs/inotify/max_queued_events, and says so when it had to drop some.
/// Threads: any, one at a time.
class inotify {
 public:
  /// Begins to hear. Throws: `upcall::error`, a `Watcher.Error`.
  explicit inotify(std::string dir) : m_dir(std::move(dir)), m_input(open(m_dir), "inotify_init1") {
    constexpr unsigned wanted = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_MOVE |
                                IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    if (::inotify_add_watch(m_input.get(), m_dir.c_str(), wanted) < 0) refuse(m_dir, errno);
  }

  /// What becomes readable when there are events.
  [[nodiscard]] const file_descriptor& input() const noexcept { return m_input; }

  /// Takes some of the events that there are, in their order. Throws: `std::system_error`.
  std::vector<event> read() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    const ssize_t length = ::read(m_input.get(), buffer.data(), buffer.size());
    if (length < 0 && errno != EAGAIN && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "read from inotify");

    std::vector<event> taken;
    for (ssize_t at = 0; at < length;) {
      inotify_event raw{};
      const char* const start = buffer.data() + at;
      std::memcpy(&raw, start, sizeof raw);
      const char* const name = raw.len > 0 ? start + sizeof raw : nullptr;
      taken.push_back(event{.kind = kind_of(raw.mask),
                            .path = name == nullptr ? m_dir : m_dir + "/" + name,
                            .is_directory = name == nullptr || (raw.mask & IN_ISDIR) != 0,
                            .cookie = {}});
      if (raw.cookie != 0) taken.back().cookie = raw.cookie;
      at += static_cast<ssize_t>(sizeof raw + raw.len);
    }
    return taken;
  }

 private:
  static kind kind_of(unsigned mask) noexcept {
    if ((mask & IN_Q_OVERFLOW) != 0) return kind::overflow;
    if ((mask & IN_CREATE) != 0) return kind::created;
    if ((mask & IN_MODIFY) != 0) return kind::modified;
    if ((mask & IN_CLOSE_WRITE) != 0) return kind::closed;
    if ((mask & IN_DELETE) != 0) return kind::deleted;
    if ((mask & IN_MOVED_FROM) != 0) return kind::moved_from;
    if ((mask & IN_MOVED_TO) != 0) return kind::moved_to;
    return kind::gone;  // deleted, moved or unmounted, or the kernel has ended the watch
  }

  static int open(const std::string& dir) {
    const int made = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (made < 0) refuse(dir, errno);
    return made;
  }

  [[noreturn]] static void refuse(const std::string& dir, int code) {
    std::string message =
        "can't watch \"" + dir + "\": " + std::generic_category().message(code) + "; ";
    switch (code) {
      case ENOENT:
        message += "make the directory before the watcher starts, or correct :dir";
        break;
      case ENOTDIR:
        message += "give :dir the directory that it is in";
        break;
      case EACCES:
        message += "let the user that runs this VM read it";
        break;
      case ENOSPC:
        message += "raise /proc/sys/fs/inotify/max_user_watches";
        break;
      case EMFILE:
        message += "raise /proc/sys/fs/inotify/max_user_instances, or the limit on open files";
        break;
      default:
        message += "see inotify_add_watch(2)";
    }
    upcall::raise("Elixir.Watcher.Error", std::pair{"message", message}, std::pair{"dir", dir});
  }

  std::string m_dir;
  file_descriptor m_input;
};

}  // namespace watcher
