#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <utility>

#include "config.hpp"

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

/// One step of a frame: from a start or a resume to the next suspension or the end. Lives on the
/// stack of the thread that runs it.
struct step {
  ErlNifEnv* env = nullptr;  ///< null for the steps of an abandoned frame
  ERL_NIF_TERM reply = 0;    ///< what the NIF returns
};

/// What an upcall came to; `failed` in C++, which could not take what was returned.
enum class outcome_kind { returned, raised, abandoned, failed };

/// Counts of this library's native calls, and of its calls through executors.
struct call_counts {
  std::atomic<std::size_t> suspended{0};   ///< with a handle, abandoned ones included
  std::atomic<std::size_t> abandoned{0};   ///< waiting to be finished, or being finished
  std::atomic<std::size_t> finishing{0};   ///< of these, what our threads run now
  std::atomic<std::size_t> parked{0};      ///< will never be finished: what they hold is lost
  std::atomic<std::size_t> pinned{0};      ///< calls on threads of their own
  std::atomic<std::size_t> calls{0};       ///< slots that somebody holds
  std::atomic<std::size_t> waiting{0};     ///< calls that no executor has begun yet
  std::atomic<std::size_t> promised{0};    ///< accepted calls that have not begun: `slot::promise`
  std::atomic<std::size_t> lost_casts{0};  ///< taken, and not ended when their executor died
};
inline constinit call_counts counts;

/// Counts its owner for as long as it lives.
class counted_in {
 public:
  explicit counted_in(std::atomic<std::size_t>& count) noexcept : m_count(&count) {
    m_count->fetch_add(1, std::memory_order_relaxed);
  }
  counted_in(counted_in&& other) noexcept : m_count(std::exchange(other.m_count, nullptr)) {}
  counted_in& operator=(counted_in&& other) noexcept {
    std::swap(m_count, other.m_count);
    return *this;
  }
  counted_in(const counted_in&) = delete;
  counted_in& operator=(const counted_in&) = delete;
  ~counted_in() {
    if (m_count != nullptr) m_count->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::size_t>* m_count;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
