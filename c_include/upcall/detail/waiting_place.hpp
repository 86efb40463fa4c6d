#pragma once

#include <erl_nif.h>

#include <atomic>

#include "../error.hpp"
#include "config.hpp"
#include "native_call.hpp"
#include "this_thread.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How many there are; told when the library is loaded.
inline constinit std::atomic<int> dirty_io_schedulers{0};
/// How many of them wait in this library.
inline constinit std::atomic<int> dirty_io_waiting{0};

/// The right to wait on the calling thread, taken before anything is sent.
class waiting_place {
 public:
  /// Throws: `error` where waiting would block a scheduler that the VM needs; `abandoned`, so that
  /// nothing is sent which nobody waits for.
  waiting_place() {
    if (this_thread_calls().destructor_env != nullptr) {
      raise(
          "Elixir.RuntimeError",
          "waiting for an executor in the destructor of a resource would block a scheduler of the "
          "VM; in a destructor, use cast or try_call");
    }
    native_call* const running = current_call();
    if (running != nullptr && running->may_wait_here()) {
      running->check_may_wait();  // says why it may not, if so
      return;
    }
    switch (enif_thread_type()) {
      case ERL_NIF_THR_UNDEFINED:
        return;
      case ERL_NIF_THR_DIRTY_IO_SCHEDULER:
        m_counted = true;
        // The last one is left for others, without which the VM could not open a file.
        m_free = dirty_io_waiting.fetch_add(1, std::memory_order_relaxed) + 1 <
                 dirty_io_schedulers.load(std::memory_order_relaxed);
        return;
      case ERL_NIF_THR_DIRTY_CPU_SCHEDULER:
        raise(
            "Elixir.RuntimeError",
            "waiting for an executor on a dirty CPU scheduler can deadlock the VM, which collects "
            "large heaps there; declare the NIF dirty_io, or make it a frame (UPCALL_NIF); in a "
            "destructor, use cast or try_call");
      default:
        raise("Elixir.RuntimeError",
              "waiting for an executor on a normal scheduler would block the VM; declare the NIF "
              "dirty_io, or make it a frame (UPCALL_NIF); in a destructor, use cast or try_call");
    }
  }
  waiting_place(const waiting_place&) = delete;
  waiting_place& operator=(const waiting_place&) = delete;
  ~waiting_place() {
    if (m_counted) dirty_io_waiting.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Whether a dirty IO scheduler stays free.
  [[nodiscard]] bool is_free() const noexcept { return m_free; }

 private:
  bool m_counted = false;
  bool m_free = true;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
