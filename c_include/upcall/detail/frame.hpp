#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "../atom.hpp"
#include "../error.hpp"
#include "config.hpp"
#include "roots.hpp"
#include "stack_pool.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

class frame;
class kept_content;
class exclusive_base;

/// What Elixir holds of a suspended frame: a resource, made at its first suspension.
struct frame_handle {
  frame* suspended;  ///< null once it has ended
  ErlNifPid owner;
};

/// One step of a frame: from a start or a resume to the next suspension or the end. Lives on the
/// stack of the thread that runs it.
struct step {
  ErlNifEnv* env = nullptr;  ///< null for the steps of an abandoned frame
  ERL_NIF_TERM reply = 0;    ///< what the NIF returns
};

enum class outcome_kind { returned, raised, abandoned };

/// What a NIF is called, for errors.
struct nif_name {
  const char* name;
  int arity;
};

/// Counts of this library's frames.
struct frame_counts {
  std::atomic<std::size_t> suspended{0};  ///< with a handle, abandoned ones included
  std::atomic<std::size_t> abandoned{0};  ///< waiting to be finished, or being finished
  std::atomic<std::size_t> parked{0};     ///< will never be finished: their stacks are lost
};
inline constinit frame_counts counts;

// See `stack_pool::this_thread` for why it looks like this.
UPCALL_NOINLINE inline frame*& this_thread_frame() noexcept {
  static thread_local constinit frame* current = nullptr;
  asm volatile("");
  return current;
}
inline frame* current_frame() noexcept { return this_thread_frame(); }

/// Gives frames numbers that never come again, so that a handle that outlives its frame is known.
UPCALL_NOINLINE inline std::uint64_t next_frame_number() noexcept {
  static constinit std::atomic<std::uint64_t> next_block{1};
  static thread_local constinit std::uint64_t next = 0;
  constexpr std::uint64_t block = 4096;  // one contended addition for so many frames
  if (next % block == 0) next = next_block.fetch_add(1, std::memory_order_relaxed) * block;
  return next++;
}

/// A native call that can be suspended. It lives on the stack of its body. Threads: one at a time.
class frame {
 public:
  frame(step& first, nif_name nif, fiber* on, std::size_t stack_class) noexcept
      : m_step(&first),
        m_env(first.env),
        m_fiber(on),
        m_stack_class(stack_class),
        m_number(next_frame_number()),
        m_nif(nif) {}
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;
  ~frame() {
    for (auto& [content, used] : kept) delete_root(used);
    if (m_kept_result != nullptr) delete_root(m_kept_result);
    end();
  }

  // ---- for the thread that runs a step ----

  /// Gives the outcome of the pending upcall and runs the next step. False when `token` or `roots`
  /// are not those of the pending upcall.
  UPCALL_FLATTEN bool resume(step& next, outcome_kind kind, ERL_NIF_TERM roots_map,
                             ERL_NIF_TERM token, ERL_NIF_TERM outcome) noexcept {
    // The token is a small integer: equal ones are the same word.
    if (token != m_token || !m_roots.begin_step(next.env, roots_map)) return false;
    begin(next, kind, outcome);
    return true;
  }

  /// Forgets the handle, which is being destroyed: nobody will resume this frame.
  void abandon() noexcept { m_handle = nullptr; }

  /// Runs on without a caller, until the body has ended or is parked.
  void finish(step& last) noexcept { begin(last, outcome_kind::abandoned, 0); }

  // ---- for the body ----

  /// Leaves the body for ever: its stack is lost, and what it holds with it.
  [[noreturn]] UPCALL_COLD void park(ERL_NIF_TERM reply) noexcept;

  /// Leaves the body until the upcall that `request` asks for has its outcome, and gives that.
  /// Throws: `error` for one that is not a value; `abandoned`.
  UPCALL_FLATTEN ERL_NIF_TERM suspend(ERL_NIF_TERM request) {
    ERL_NIF_TERM pending = 0;
    // With an exception pending the VM would take any reply for that exception, and lose the frame.
    if (enif_has_pending_exception(m_env, &pending)) throw_pending(pending);
    if (m_result != 0) keep_result();
    m_step->reply = m_handle == nullptr ? first_request(request) : next_request(request);
    m_fiber->suspend();
    if (m_outcome_kind != outcome_kind::returned) throw_outcome();
    return m_outcome;
  }

  /// Throws unless an upcall may be made now.
  void check_may_suspend() {
    if (m_abandoned) throw_abandoned();
    if (m_in_codec) {
      raise("Elixir.RuntimeError",
            "an upcall was made while terms are being encoded or decoded; "
            "make it before or after, not inside a codec");
    }
  }

  /// Makes the mark by which Elixir's answer to the next request is known.
  ERL_NIF_TERM next_token() noexcept {
    // Small integers only, and one that does not come again soon.
    m_token = enif_make_uint(m_env, ++m_step_number & 0xffffff);
    return m_token;
  }

  /// Makes the function at `index` the one that the trampoline calls.
  void select(std::uint32_t index) {
    if (index == m_selected) return;
    if (m_roots.at(m_env, index) == 0) {
      raise("Elixir.ArgumentError", "the roots of this frame are not those it handed out");
    }
    m_selected = index;
    m_selection_changed = true;
  }

  /// Adds a root and gives what its handles share.
  root* add_root(ERL_NIF_TERM added) {
    return std::make_unique<root>(m_number, m_roots.add(m_env, added)).release();
  }
  void drop_root(std::uint32_t index) noexcept {
    if (index == m_selected) m_selected = no_function;
    m_roots.drop(index);
  }
  [[nodiscard]] ERL_NIF_TERM root_term(std::uint32_t index) const noexcept {
    return m_roots.at(m_env, index);
  }

  /// Gives the environment in which what views point to lives as long as the frame.
  ErlNifEnv* views() {
    if (!m_views) m_views = std::make_unique<owned_env>();
    return m_views->get();
  }

  /// Sets what the NIF returns. The destructors that run after it may still make upcalls.
  void set_result(ERL_NIF_TERM reply) noexcept { m_result = reply; }

  [[nodiscard]] ErlNifEnv* env() const noexcept { return m_env; }
  [[nodiscard]] step& running_step() noexcept { return *m_step; }
  [[nodiscard]] std::uint64_t number() const noexcept { return m_number; }
  [[nodiscard]] step_mark mark() const noexcept { return {m_number, m_step_number}; }
  [[nodiscard]] nif_name nif() const noexcept { return m_nif; }
  [[nodiscard]] bool is_abandoned() const noexcept { return m_abandoned; }
  [[nodiscard]] frame_handle* handle() const noexcept { return m_handle; }

  /// Says for its lifetime that a codec runs, whose half-built terms a suspension would lose.
  class codec_scope {
   public:
    explicit codec_scope(frame& running) noexcept : m_frame(running), m_before(running.m_in_codec) {
      m_frame.m_in_codec = true;
    }
    codec_scope(const codec_scope&) = delete;
    codec_scope& operator=(const codec_scope&) = delete;
    ~codec_scope() { m_frame.m_in_codec = m_before; }

   private:
    frame& m_frame;
    bool m_before;
  };

  /// The lowest address that the body's stack may grow to.
  [[nodiscard]] const std::byte* stack_end() const noexcept { return m_fiber->stack(); }

  frame* next_abandoned = nullptr;  ///< of the finisher's list
  std::vector<std::pair<std::shared_ptr<const kept_content>, root*>>
      kept;  ///< kept functions used here
  std::exception_ptr* c_scope =
      nullptr;  ///< where the C callbacks under way leave what they caught
  int upcalls_when_abandoned = 0;

  /// Runs the whole body: `call` gives what the NIF returns. No exception leaves it.
  template <class Call>
  void run(const Call& call) noexcept {
    this_thread_frame() = this;
    try {
      call();
    } catch (...) {
      if (!m_abandoned) set_result(reply_of_current_exception());
    }
    m_step->reply = m_kept_result == nullptr ? m_result : root_term(m_kept_result->index());
  }

 private:
  static constexpr std::uint32_t no_function = UINT32_MAX;

  UPCALL_FLATTEN void begin(step& next_step, outcome_kind kind, ERL_NIF_TERM outcome) noexcept {
    m_step = &next_step;
    m_env = next_step.env;
    m_outcome_kind = kind;
    m_outcome = outcome;
    if (kind == outcome_kind::abandoned) {
      m_abandoned = true;
      ++m_step_number;  // what was borrowed is gone
    }
    // This thread's on both sides of the switch, for it is the one that waits for the body.
    frame*& current = this_thread_frame();
    current = this;
    run_body();
    current = nullptr;
  }

  /// Runs the body until it suspends or ends. After that this frame may be gone.
  UPCALL_FLATTEN void run_body() noexcept {
    fiber* const on = m_fiber;
    const std::size_t stack_class = m_stack_class;
    on->resume();
    if (on->resting()) stacks->give(on, stack_class);
  }

  UPCALL_FLATTEN ERL_NIF_TERM next_request(ERL_NIF_TERM request) noexcept {
    const bool roots_changed = m_roots.end_step(m_env);
    if (!roots_changed && !m_selection_changed) [[likely]]
      return request;
    return update_request(request);
  }
  UPCALL_COLD ERL_NIF_TERM update_request(ERL_NIF_TERM request) noexcept {
    return enif_make_tuple4(m_env, atoms::update.raw(), m_roots.map(m_env), selected_function(),
                            request);
  }

  UPCALL_COLD ERL_NIF_TERM first_request(ERL_NIF_TERM request);

  /// Makes the reference that Elixir may still hold a dead one.
  void end() noexcept {
    if (m_handle != nullptr) m_handle->suspended = nullptr;
    if (m_was_suspended) counts.suspended.fetch_sub(1, std::memory_order_relaxed);
    m_handle = nullptr;
    m_was_suspended = false;
  }

  ERL_NIF_TERM selected_function() noexcept {
    m_selection_changed = false;
    return m_selected == no_function ? atoms::nil.raw() : m_roots.at(m_env, m_selected);
  }

  void keep_result() {
    if (m_kept_result == nullptr) m_kept_result = add_root(m_result);
  }

  UPCALL_COLD ERL_NIF_TERM reply_of_current_exception() noexcept;
  UPCALL_COLD void throw_outcome();
  [[noreturn]] UPCALL_COLD void throw_pending(ERL_NIF_TERM reason);
  [[noreturn]] UPCALL_COLD void throw_abandoned();
  static void delete_root(root* used) noexcept { const std::unique_ptr<root> owned(used); }

  step* m_step;
  ErlNifEnv* m_env;
  fiber* m_fiber;
  std::size_t m_stack_class;
  std::uint64_t m_number;
  std::uint32_t m_step_number = 0;
  std::uint32_t m_selected = no_function;
  ERL_NIF_TERM m_token = 0;
  ERL_NIF_TERM m_outcome = 0;
  ERL_NIF_TERM m_result = 0;  // of the body, while what it leaves behind is destroyed
  root* m_kept_result = nullptr;
  outcome_kind m_outcome_kind = outcome_kind::returned;
  bool m_selection_changed = false;
  bool m_in_codec = false;
  bool m_abandoned = false;
  bool m_was_suspended = false;
  frame_handle* m_handle = nullptr;
  nif_name m_nif;
  roots m_roots;
  std::unique_ptr<owned_env> m_views;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
