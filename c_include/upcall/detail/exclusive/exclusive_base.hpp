#pragma once

#include <erl_nif.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../term.hpp"
#include "../base/config.hpp"
#include "../call/native_call.hpp"
#include "../call/waitable.hpp"

// What a native call has of an exclusive object: a hold, or a turn to come.

namespace upcall UPCALL_HIDDEN {
namespace detail {

class exclusive_base;

/// One right to an exclusive object, given up when it is destroyed in its call, or with that.
class hold {
 public:
  hold(std::shared_ptr<exclusive_base> taken, native_call& by) noexcept
      : m_taken(std::move(taken)), m_number(by.number()) {}
  hold(hold&& other) noexcept = default;
  hold(const hold&) = delete;
  hold& operator=(const hold&) = delete;
  hold& operator=(hold&&) = delete;
  ~hold();

 private:
  // A hold that was moved elsewhere may outlive its call, and the object.
  std::shared_ptr<exclusive_base> m_taken;
  std::uint64_t m_number;
};

/// A native call that waits for its turn. Lives on that call's stack, and leaves the queue with it.
class turn final : public waitable {
 public:
  turn(exclusive_base& wanted, native_call& by) noexcept : exclusive(&wanted), waiter(&by) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() { leave(); }

  bool await(ErlNifEnv* env, ERL_NIF_TERM reference) override;
  bool withdraw() noexcept override;
  void leave() noexcept override;
  void sleep(clock::time_point until) noexcept override;
  void interrupt(ErlNifEnv* env) noexcept override;

  exclusive_base* exclusive;
  native_call* waiter;
  bool granted = false;
  bool taken = false;
  bool interrupted = false;
  std::condition_variable wake;  ///< of a pinned call
  ErlNifPid process{};
  std::optional<owned_term> message;  ///< of a frame, once its process is ready to receive it
};

/// Who has an object, and who waits for it. Threads: any.
class exclusive_base final : public held_object,
                             public std::enable_shared_from_this<exclusive_base> {
 public:
  hold lock();

  std::optional<hold> try_lock() { return try_lock(call_here()); }

  /// Notes that the waiter's process is ready for the message `{:upcall_turn, reference}`. False
  /// when it is its turn already, and no message will come.
  bool await(turn& waiting, ErlNifEnv* env, ERL_NIF_TERM reference);

  bool withdraw(turn& waiting) noexcept;

  /// Gives up the newest hold of the call with that number, if it has one.
  void release(std::uint64_t number) noexcept override;

  /// Of an abandoned call: whether a nested one still has the object. It is told when that ends.
  bool postpone_if_nested(native_call& left) noexcept override;

  /// A call that has the object will never go on: nobody may use it any more.
  void lose(native_call& parked) noexcept override;

 private:
  friend class turn;
  template <class Exclusive>
  friend class lock_operation;

  /// Gives the native call that the calling code runs in. Throws: `abandoned`; `error` where none
  /// runs that could wait.
  static native_call& call_here();

  std::optional<hold> try_lock(native_call& running);

  /// A holder of the same process waits below us, in a function that it called. One that was
  /// abandoned does not: it is being finished elsewhere.
  [[nodiscard]] bool is_nested(const native_call& running) const noexcept;

  bool enqueue(turn& waiting);

  hold take(turn& waiting);

  /// With the lock: makes the first that waits the holder, and tells its process.
  void grant_next() noexcept;

  /// With the lock: takes the call's newest hold out, and gives the abandoned one that this was
  /// holding up.
  native_call* forget(std::uint64_t number) noexcept;

  void leave_queue(turn& waiting) noexcept;

  [[noreturn]] static void throw_lost();

  std::mutex m_mutex;
  std::vector<native_call*> m_holders;  // innermost last; all of one process
  std::deque<turn*> m_waiting;
  bool m_lost = false;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "exclusive_base.ipp"  // IWYU pragma: export
#endif
