#pragma once

#include <chrono>
#include <cstdint>

#include "../base/config.hpp"
#include "../base/sleeper.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How long C code is borne with that asks on and on where it can only be told of a failure. What
/// comes to its end is left alone, and that may take a while: a sort whose comparator has failed
/// asks a million times. Both bounds must be passed, as a single question may take long, too.
class patience {
 public:
  /// Counts a question of the step `step`. True once there were too many in it for too long.
  bool ends(std::uint32_t step) noexcept {
    constexpr int most = 100;
    constexpr std::chrono::seconds longest{1};
    const clock::time_point now = clock::now();
    if (m_step != step) {
      m_step = step;
      m_questions = 0;
      m_first = now.time_since_epoch();
    }
    if (m_questions < most) ++m_questions;
    return m_questions == most && now.time_since_epoch() - m_first > longest;
  }

  /// Begins anew with the next question.
  void restart() noexcept { m_step = none; }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  std::uint32_t m_step = none;
  int m_questions = 0;
  clock::duration m_first{};
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
