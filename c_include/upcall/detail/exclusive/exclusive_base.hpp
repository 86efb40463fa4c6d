#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <iterator>
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
#include "../term/call_here.hpp"
#include "../term/turn_message.hpp"

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
  hold lock() {
    native_call& running = running_call();
    running.check_may_wait();
    running.note_process();
    if (std::optional<hold> free = try_lock(running)) return *std::move(free);
    turn mine(*this, running);
    if (enqueue(mine)) running.wait_for(mine, no_deadline);
    return take(mine);
  }

  std::optional<hold> try_lock() { return try_lock(call_here()); }

  /// Notes that the waiter's process is ready for the message `{:upcall_turn, reference}`. False
  /// when it is its turn already, and no message will come.
  bool await(turn& waiting, ErlNifEnv* env, ERL_NIF_TERM reference) {
    const std::lock_guard lock(m_mutex);
    if (waiting.granted) return false;
    enif_self(env, &waiting.process);
    waiting.message.emplace(detail::turn_message(reference));
    return true;
  }

  bool withdraw(turn& waiting) noexcept {
    const std::lock_guard lock(m_mutex);
    if (waiting.granted) return false;
    waiting.message.reset();
    return true;
  }

  /// Gives up the newest hold of the call with that number, if it has one.
  void release(std::uint64_t number) noexcept override {
    native_call* postponed = nullptr;
    {
      const std::lock_guard lock(m_mutex);
      postponed = forget(number);
      if (m_holders.empty()) grant_next();
    }
    if (postponed != nullptr) postponed->resume_finishing();
  }

  /// Of an abandoned call: whether a nested one still has the object. It is told when that ends.
  bool postpone_if_nested(native_call& left) noexcept override {
    const std::lock_guard lock(m_mutex);
    const auto found = std::find(m_holders.begin(), m_holders.end(), &left);
    const bool waits = found != m_holders.end() && m_holders.back() != &left;
    left.set_postponed(waits);
    return waits;
  }

  /// A call that has the object will never go on: nobody may use it any more.
  void lose(native_call& parked) noexcept override {
    native_call* postponed = nullptr;
    {
      const std::lock_guard lock(m_mutex);
      m_lost = true;
      postponed = forget(parked.number());
      while (!m_waiting.empty()) grant_next();
    }
    if (postponed != nullptr) postponed->resume_finishing();
  }

 private:
  friend class turn;
  template <class Exclusive>
  friend class lock_operation;

  /// Gives the native call that the calling code runs in. Throws: `abandoned`; `error` where none
  /// runs that could wait.
  static native_call& call_here() {
    native_call& running = running_call();
    running.check_may_await();
    running.note_process();
    return running;
  }

  std::optional<hold> try_lock(native_call& running) {
    const std::lock_guard lock(m_mutex);
    if (m_lost) throw_lost();
    if (!m_holders.empty() && !is_nested(running)) return std::nullopt;
    m_holders.push_back(&running);
    running.add_held(shared_from_this());
    return hold(shared_from_this(), running);
  }

  /// A holder of the same process waits below us, in a function that it called. One that was
  /// abandoned does not: it is being finished elsewhere.
  [[nodiscard]] bool is_nested(const native_call& running) const noexcept {
    const native_call& newest = *m_holders.back();
    if (&newest == &running) return true;
    return !newest.is_orphaned() && newest.process() == running.process();
  }

  bool enqueue(turn& waiting) {
    const std::lock_guard lock(m_mutex);
    m_waiting.push_back(&waiting);
    if (m_holders.empty() || m_lost) grant_next();
    return !waiting.granted;
  }

  hold take(turn& waiting) {
    const std::lock_guard lock(m_mutex);
    if (m_lost) throw_lost();
    if (!waiting.granted) {
      if (waiting.interrupted) throw abandoned{};
      raise("Elixir.ArgumentError", "this native call was resumed before its turn");
    }
    waiting.waiter->add_held(shared_from_this());
    waiting.taken = true;
    return hold(shared_from_this(), *waiting.waiter);
  }

  /// With the lock: makes the first that waits the holder, and tells its process.
  void grant_next() noexcept {
    if (m_waiting.empty()) return;
    turn& next = *m_waiting.front();
    m_waiting.pop_front();
    next.granted = true;
    if (!m_lost) m_holders.push_back(next.waiter);
    next.wake.notify_one();
    if (!next.message) return;
    const native_call* const running = current_call();
    // NULL only on our own threads, which are not the VM's. A process that is gone leaves
    // its frame to the finisher, where the turn is passed on.
    ErlNifEnv* const sender = running == nullptr ? nullptr : running->process_env();
    enif_send(sender, &next.process, nullptr, next.message->raw());
  }

  /// With the lock: takes the call's newest hold out, and gives the abandoned one that this was
  /// holding up.
  native_call* forget(std::uint64_t number) noexcept {
    const auto newest =
        std::find_if(m_holders.rbegin(), m_holders.rend(),
                     [=](const native_call* each) { return each->number() == number; });
    if (newest == m_holders.rend()) return nullptr;
    (*newest)->remove_held(*this);
    m_holders.erase(std::next(newest).base());
    if (m_holders.empty()) return nullptr;
    // It may hold several of these, whose nested calls end at once: one of them brings it back.
    native_call* const outer = m_holders.back();
    return outer->set_postponed(false) ? outer : nullptr;
  }

  void leave_queue(turn& waiting) noexcept {
    const std::lock_guard lock(m_mutex);
    if (waiting.granted && !waiting.taken && !m_lost) {
      std::erase(m_holders, waiting.waiter);
      if (m_holders.empty()) grant_next();
    } else if (!waiting.granted) {
      std::erase(m_waiting, &waiting);
    }
  }

  [[noreturn]] static void throw_lost() {
    raise("Elixir.RuntimeError",
          "this native object is lost: a native call that was using it was parked (see "
          "Upcall.info/1); make a new one");
  }

  std::mutex m_mutex;
  std::vector<native_call*> m_holders;  // innermost last; all of one process
  std::deque<turn*> m_waiting;
  bool m_lost = false;
};

// Elsewhere than in its call it does nothing: what a call holds is its own, to be changed by the
// thread that runs it, and is given up when it ends.
inline hold::~hold() {
  if (m_taken == nullptr) return;
  const native_call* const here = current_call();
  if (here != nullptr && here->number() == m_number) m_taken->release(m_number);
}

inline bool turn::await(ErlNifEnv* env, ERL_NIF_TERM reference) {
  return exclusive->await(*this, env, reference);
}
inline bool turn::withdraw() noexcept { return exclusive->withdraw(*this); }
inline void turn::leave() noexcept { exclusive->leave_queue(*this); }
inline void turn::sleep(clock::time_point /*until*/) noexcept {
  std::unique_lock lock(exclusive->m_mutex);
  wake.wait(lock, [this] { return granted || interrupted; });
}
inline void turn::interrupt(ErlNifEnv*) noexcept {
  const std::lock_guard lock(exclusive->m_mutex);
  interrupted = true;
  wake.notify_one();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
