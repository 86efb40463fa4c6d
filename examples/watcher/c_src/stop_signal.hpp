#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "file_descriptor.hpp"

namespace watcher {

/// Tells a thread that waits for input to stop. Once set, it stays so.
/// Threads: any.
class stop_signal {
 public:
  void set() noexcept { ::eventfd_write(m_event.get(), 1); }

  [[nodiscard]] bool is_set() const { return wait_for(std::chrono::milliseconds::zero()); }

  /// Waits until it is set, `longest` at most, and gives whether it is.
  bool wait_for(std::chrono::milliseconds longest) const {
    std::array waiting{pollfd{m_event.get(), POLLIN, 0}};
    wait(waiting, static_cast<int>(longest.count()));
    return waiting[0].revents != 0;
  }

  /// Waits until there is input to read, or it is set: gives false then.
  [[nodiscard]] bool wait_for_input(const file_descriptor& input) const {
    std::array waiting{pollfd{m_event.get(), POLLIN, 0}, pollfd{input.get(), POLLIN, 0}};
    while (waiting[0].revents == 0 && waiting[1].revents == 0) wait(waiting, -1);
    return waiting[0].revents == 0;
  }

 private:
  template <std::size_t Count>
  static void wait(std::array<pollfd, Count>& waiting, int timeout_ms) {
    if (::poll(waiting.data(), waiting.size(), timeout_ms) >= 0) return;
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    for (pollfd& each : waiting) each.revents = 0;
  }

  file_descriptor m_event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"};
};

}  // namespace watcher
