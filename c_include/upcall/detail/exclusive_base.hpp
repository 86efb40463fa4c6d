#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "../atom.hpp"
#include "../error.hpp"
#include "exclusive_turn.hpp"
#include "frame.hpp"
#include "function_root.hpp"
#include "holder.hpp"
#include "pinned_requests.hpp"
#include "waitable.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Who has an object, and who waits for it. Threads: any.
class exclusive_base : public std::enable_shared_from_this<exclusive_base> {
 public:
  hold lock() {
    if (frame* const here = current_frame()) here->check_may_suspend();
    holder& running = holder_here();
    if (std::optional<hold> free = try_lock(running)) return *std::move(free);
    turn mine(*this, running);
    if (enqueue(mine)) wait_for(mine);
    return take(mine);
  }

  std::optional<hold> try_lock() { return try_lock(holder_here()); }

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
  void release(std::uint64_t number) noexcept {
    holder* postponed = nullptr;
    {
      const std::lock_guard lock(m_mutex);
      postponed = forget(number);
      if (m_holders.empty()) grant_next();
    }
    if (postponed != nullptr) postponed->go_on();
  }

  /// Of an abandoned call: whether a nested one still has the object. It is told when that ends.
  bool postpone_if_nested(holder& left) noexcept {
    const std::lock_guard lock(m_mutex);
    const auto found = std::find(m_holders.begin(), m_holders.end(), &left);
    const bool waits = found != m_holders.end() && m_holders.back() != &left;
    left.is_postponed.store(waits, std::memory_order_relaxed);
    return waits;
  }

  /// A call that has the object will never go on: nobody may use it any more.
  void lose(holder& parked) noexcept {
    holder* postponed = nullptr;
    {
      const std::lock_guard lock(m_mutex);
      m_lost = true;
      postponed = forget(parked.number());
      while (!m_waiting.empty()) grant_next();
    }
    if (postponed != nullptr) postponed->go_on();
  }

 private:
  friend class turn;
  friend class turn_awaiter;

  struct on_exit {
    explicit on_exit(frame& of) noexcept : waiter(of) {}
    on_exit(const on_exit&) = delete;
    on_exit& operator=(const on_exit&) = delete;
    ~on_exit() { waiter.awaited = nullptr; }
    frame& waiter;
  };

  /// The calling frame or pinned call. Throws: `abandoned`; `error` outside of both.
  static holder& holder_here() {
    // On a scheduler, a pinned call is being started: a codec is not to wait there.
    if (current_frame() == nullptr && enif_thread_type() == ERL_NIF_THR_UNDEFINED) {
      if (pinned_call* const call = current_pinned_call()) {
        call->check_not_abandoned();
        return *call;
      }
    }
    frame& running = frame_for_await();
    running.note_process();
    return running;
  }

  std::optional<hold> try_lock(holder& running) {
    const std::lock_guard lock(m_mutex);
    if (m_lost) throw_lost();
    if (!m_holders.empty() && !is_nested(running)) return std::nullopt;
    m_holders.push_back(&running);
    running.add_held(shared_from_this());
    return hold(shared_from_this(), running);
  }

  void wait_for(turn& mine) {
    if (frame* const running = current_frame()) {
      running->awaited = &mine;
      const on_exit forget{*running};
      running->suspend(detail::wait_request(*running, atoms::infinity.raw()));
      return;
    }
    const pinned_call::interruptible_scope scope(*current_pinned_call(), mine);
    std::unique_lock lock(m_mutex);
    mine.wake.wait(lock, [&] { return mine.granted || mine.interrupted; });
    if (!mine.granted) throw abandoned{};
  }

  /// A holder of the same process waits below us, in a function that it called. One that was
  /// abandoned does not: it is being finished elsewhere.
  [[nodiscard]] bool is_nested(const holder& running) const noexcept {
    const holder& newest = *m_holders.back();
    if (&newest == &running) return true;
    return !newest.is_orphaned() && newest.process == running.process;
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
    if (!waiting.granted)
      raise("Elixir.ArgumentError", "this native call was resumed before its turn");
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
    const frame* running = current_frame();
    // NULL only on our own threads, which are not the VM's. A process that is gone leaves
    // its frame to the finisher, where the turn is passed on.
    ErlNifEnv* const sender = running == nullptr ? nullptr : running->env();
    enif_send(sender, &next.process, nullptr, next.message->raw());
  }

  /// With the lock: takes the call's newest hold out, and gives the abandoned one that this was
  /// holding up.
  holder* forget(std::uint64_t number) noexcept {
    const auto newest = std::find_if(m_holders.rbegin(), m_holders.rend(),
                                     [=](const holder* each) { return each->number() == number; });
    if (newest == m_holders.rend()) return nullptr;
    (*newest)->remove_held(*this);
    m_holders.erase(std::next(newest).base());
    if (m_holders.empty()) return nullptr;
    // It may hold several of these, whose nested calls end at once: one of them brings it back.
    holder* const outer = m_holders.back();
    return outer->is_postponed.exchange(false, std::memory_order_relaxed) ? outer : nullptr;
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
          "Upcall.Frame); make a new one");
  }

  std::mutex m_mutex;
  std::vector<holder*> m_holders;  // innermost last; all of one process
  std::deque<turn*> m_waiting;
  bool m_lost = false;
};

// Elsewhere than in its call it does nothing: what a call holds is its own, to be changed by the
// thread that runs it, and is given up when it ends.
inline hold::~hold() {
  if (m_taken == nullptr) return;
  const holder* here = current_frame();
  if (here == nullptr) here = current_pinned_call();
  if (here != nullptr && here->number() == m_number) m_taken->release(m_number);
}

inline bool turn::await(ErlNifEnv* env, ERL_NIF_TERM reference) {
  return exclusive->await(*this, env, reference);
}
inline bool turn::withdraw() noexcept { return exclusive->withdraw(*this); }
inline void turn::leave() noexcept { exclusive->leave_queue(*this); }
inline void turn::interrupt(ErlNifEnv*) noexcept {
  const std::lock_guard lock(exclusive->m_mutex);
  interrupted = true;
  wake.notify_one();
}

inline bool holder::postpone_if_nested() noexcept {
  const auto all = held();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& each) { return each->postpone_if_nested(*this); });
}

inline void holder::give_up_holds() noexcept {
  const auto all = held();
  for (auto each = all.rbegin(); each != all.rend(); ++each) (*each)->release(m_number);
}

inline void holder::lose_holds() noexcept {
  const auto all = held();
  for (auto each = all.rbegin(); each != all.rend(); ++each) (*each)->lose(*this);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
