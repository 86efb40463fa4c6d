#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

#include "exception_replies.hpp"
#include "frame.hpp"
#include "frame_handles.hpp"
#include "outcome.hpp"
#include "report.hpp"
#include "resource_type.hpp"
#include "waitable.hpp"

// What a frame says to the trampoline (lib/upcall/nif.ex), and what it makes of its answers.

namespace upcall UPCALL_HIDDEN {
namespace detail {

inline ERL_NIF_TERM frame::reply_of_current_exception() noexcept {
  const codec_scope scope(*this);  // a translator that suspended would change the environment
  return detail::reply_in_nif(m_env, m_nif);
}

inline ERL_NIF_TERM frame::reply_of(const error& failure) noexcept {
  if (translator::first != nullptr || typeid(failure) != typeid(error))
    return reply_of_current_exception();
  return detail::error_reply(m_env, failure);
}

inline ERL_NIF_TERM frame::first_request(ERL_NIF_TERM request) {
  if (yielded == nullptr) {
    m_handle = this_thread_frame_handles().take(m_env, this, m_nif.dirty);
  } else {
    ErlNifPid self;
    enif_self(m_env, &self);
    m_handle = frame_handles::make(this, m_nif.dirty, self.pid);
    m_handle_is_shared = true;
  }
  const ERL_NIF_TERM reference = enif_make_resource(m_env, m_handle);
  enif_release_resource(m_handle);
  counts.suspended.fetch_add(1, std::memory_order_relaxed);
  m_was_suspended = true;
  m_roots.end_step(m_env);
  return detail::make_tuple(m_env, atoms::upcall.raw(), reference, m_roots.map(),
                            selected_function(), request);
}

inline void frame::end_suspended() noexcept {
  if (m_borrowing_error) end_borrowing(lives_on::no);
  if (m_handle != nullptr) {
    m_handle->suspended = nullptr;
    if (!m_handle_is_shared) this_thread_frame_handles().give(m_handle);
    m_handle = nullptr;
  }
  counts.suspended.fetch_sub(1, std::memory_order_relaxed);
  m_was_suspended = false;
}

inline ERL_NIF_TERM frame::halts_before(ERL_NIF_TERM reply, ERL_NIF_TERM token) {
  ERL_NIF_TERM continuations = enif_make_list(m_env, 0);
  for (const root_handle& each : m_to_halt)
    continuations = enif_make_list_cell(m_env, root_term(each->index()), continuations);
  m_to_halt.clear();
  return detail::make_tuple(m_env, atoms::halt.raw(), continuations, token, reply);
}

/// An error's outcome is a root of the frame that caught it.
class error_kept_for_frame final : public kept_error {
 public:
  explicit error_kept_for_frame(root_handle outcome) noexcept : m_outcome(std::move(outcome)) {}

  [[nodiscard]] std::optional<error_terms> here(ErlNifEnv* env) const noexcept override {
    const frame* const running = m_outcome->frame().here();
    if (running == nullptr || running->env() != env) return std::nullopt;
    try {
      return detail::parse_outcome(env, running->root_term(m_outcome->index())).terms;
    } catch (const error&) {  // Elixir's side has brought other roots
      return std::nullopt;
    }
  }
  [[nodiscard]] ERL_NIF_TERM reply_here(ErlNifEnv* /*env*/) const noexcept override { return 0; }
  [[nodiscard]] std::optional<std::uint32_t> index_here() const noexcept override {
    return std::nullopt;
  }

 private:
  root_handle m_outcome;
};

inline void frame::throw_outcome() {
  if (m_outcome_kind == outcome_kind::abandoned) throw abandoned{};
  const parsed_outcome parsed = detail::parse_outcome(m_env, m_outcome);
  m_borrowing_error = std::make_shared<error_content>(parsed.kind, m_env, parsed.terms);
  m_next_is_plain = false;
  throw error(m_borrowing_error);
}

inline void frame::end_borrowing(lives_on frame_does) noexcept {
  const std::shared_ptr<error_content> thrown = std::exchange(m_borrowing_error, nullptr);
  if (thrown.use_count() == 1) return;
  thrown->end_step([&]() -> std::unique_ptr<kept_error> {
    if (frame_does == lives_on::no) return nullptr;
    return std::make_unique<error_kept_for_frame>(add_root(m_outcome));
  });
}

inline void frame::throw_pending(ERL_NIF_TERM reason) {
  throw error(error_kind::raised, reason, enif_make_list(m_env, 0),
              "an exception was already raised by enif_make_badarg "
              "or enif_raise_exception");
}

inline void frame::throw_abandoned() {
  // A loop that swallows everything would keep a thread for ever.
  constexpr int most = 100;
  if (++m_upcalls_when_abandoned >= most) park(0);
  throw abandoned{};
}

inline void frame::throw_not_awaited() {
  raise("Elixir.RuntimeError",
        "a coroutine (upcall::task) can't wait in the middle of an expression: co_await an "
        "upcall::async_function, an upcall::future or upcall::exclusive::async_lock");
}

inline void frame::throw_yield_not_awaited() {
  raise("Elixir.RuntimeError",
        "upcall::yield() was called in a coroutine (upcall::task), which did not co_await it");
}

inline void frame::park(ERL_NIF_TERM reply) noexcept {
  m_step->reply = reply;
  counts.parked.fetch_add(1, std::memory_order_relaxed);  // before anybody is told
  lose_holds();
  if (awaited != nullptr) awaited->leave();
  end();
  report_parked(m_nif);
  lose();
  __builtin_unreachable();  // GCC forgets that of a virtual function that it inlines
}

inline ERL_NIF_TERM yield_request(frame& running) noexcept {
  return detail::make_tuple(running.env(), atoms::yield.raw(), running.next_token());
}

inline std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (...) {
    return elixir_exception_of_current().text;
  }
}

/// Tells the caller that C was left in the middle.
UPCALL_COLD inline ERL_NIF_TERM endless_reply(ErlNifEnv* env,
                                              const std::exception_ptr& failure) noexcept {
  return detail::exception_reply(
      env, "Elixir.RuntimeError",
      "a C library went on asking a callback that had failed, for more than a second. It was left "
      "in the middle, and what this native call holds is lost; let the on_error of "
      "upcall::c_callback make the library return. The callback had failed with: " +
          text_of(failure));
}

inline bool frame::can_leave() const noexcept {
  ERL_NIF_TERM pending = 0;
  return m_body == body_kind::fiber && m_env != nullptr && !m_in_codec &&
         !enif_has_pending_exception(m_env, &pending);
}

inline bool frame::let_others_run() noexcept {
  if (!can_leave()) return false;
  if (!slice_is_over()) return true;
  try {
    // Its process waits for a frame that it closes, and does not yield for it.
    m_step->reply = m_abandoned ? atoms::yield.raw() : with_all_due(yield_request(*this));
  } catch (...) {
    return false;  // the roots were changed by hand
  }
  leave();
  return true;
}

inline void frame::bear_question(std::exception_ptr& failure) noexcept {
  if (let_others_run() || !m_patience.ends(m_step_number)) return;
  const ERL_NIF_TERM reply = m_abandoned ? 0 : detail::endless_reply(m_env, failure);
  failure = nullptr;  // nobody will let go of it later
  park(reply);
}

/// Asks Elixir to wait for what the frame's `awaited` is, `timeout` milliseconds at most.
inline ERL_NIF_TERM wait_request(frame& running, ERL_NIF_TERM timeout) noexcept {
  return detail::make_tuple(running.env(), atoms::wait.raw(), running.next_token(), timeout);
}

/// Asks Elixir to raise that the function which was called returned something unexpected: only
/// there it can be shown.
UPCALL_COLD inline ERL_NIF_TERM bad_return_request(frame& running, const bad_term& failure) {
  ErlNifEnv* const env = running.env();
  const nif_identity nif = running.nif();
  const ERL_NIF_TERM got = failure.got().raw();  // which the token makes stale
  return enif_make_tuple7(env, atoms::bad_return.raw(), running.next_token(),
                          detail::make_text(env, nif.name), enif_make_int(env, nif.arity),
                          detail::make_text(env, failure.where()),
                          detail::make_text(env, failure.expected()), got);
}

[[noreturn]] UPCALL_COLD inline void throw_unexpected(const std::string& expected) {
  raise("Elixir.ArgumentError", "expected " + expected);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
