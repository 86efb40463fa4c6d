#pragma once

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace watcher {

/// Owns a file descriptor. Threads: any, one at a time.
class file_descriptor {
 public:
  /// Takes what the system call `made_by` gave. Throws: `std::system_error`, where that is -1.
  file_descriptor(int raw, const char* made_by) : m_raw(raw) {
    if (raw < 0) throw std::system_error(errno, std::generic_category(), made_by);
  }
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() { ::close(m_raw); }

  [[nodiscard]] int get() const noexcept { return m_raw; }

 private:
  int m_raw;
};

}  // namespace watcher
