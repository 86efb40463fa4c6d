#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "../call/counts.hpp"
#include "../call/waitable.hpp"
#include "../term/exception_replies.hpp"
#include "../term/outcome.hpp"
#include "frame.hpp"
#include "frame_handles.hpp"
#include "frame_requests.hpp"
#include "report.hpp"

// What a frame says to the trampoline (lib/upcall/native/nif.ex), and what it makes of its answers.

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME ERL_NIF_TERM frame::reply_of_current_exception() noexcept {
  const codec_scope scope(*this);  // a translator that suspended would change the environment
  return detail::reply_in_nif(m_env, nif());
}

UPCALL_RUNTIME ERL_NIF_TERM frame::reply_of(const error& failure) noexcept {
  if (translator::first() != nullptr || typeid(failure) != typeid(error))
    return reply_of_current_exception();
  return detail::error_reply(m_env, failure);
}

UPCALL_RUNTIME ERL_NIF_TERM frame::with_all_due(ERL_NIF_TERM request) {
  // With an exception pending the VM would take any reply for that exception, and lose the frame.
  if (m_due->env_was_shown) check_nothing_pending();
  if (m_due->borrowing_error) end_borrowing(lives_on::yes);
  if (m_due->result != 0 && !m_due->kept_result) {
    root_handle kept = make_root(m_due->result);
    m_due.change().kept_result = std::move(kept);
  }
  const ERL_NIF_TERM whole = m_handle == nullptr ? first_request(request) : next_request(request);
  m_due.change().env_was_shown = false;
  m_due.set_told();
  return whole;
}

UPCALL_RUNTIME ERL_NIF_TERM frame::next_request(ERL_NIF_TERM request) {
  const bool roots_changed = m_due.change().kept.end_step(m_env);
  if (!roots_changed && !m_due->has_news) return request;
  return detail::make_tuple(m_env, atoms::update.raw(), m_due->kept.map(), selected_function(),
                            with_halts(request, m_token.raw()));
}

UPCALL_RUNTIME ERL_NIF_TERM frame::first_request(ERL_NIF_TERM request) {
  if (yielded == nullptr) {
    m_handle = of_this_thread<frame_handles>().take(m_env, this, nif().dirty);
  } else {
    ErlNifPid self;
    enif_self(m_env, &self);
    m_handle = frame_handles::make(this, nif().dirty, self.pid);
    m_handle_is_shared = true;
  }
  const ERL_NIF_TERM reference = enif_make_resource(m_env, m_handle);
  enif_release_resource(m_handle);
  counts.suspended.fetch_add(1, std::memory_order_relaxed);
  m_was_suspended = true;
  m_due.change().kept.end_step(m_env);
  return detail::make_tuple(m_env, atoms::upcall.raw(), reference, m_due->kept.map(),
                            selected_function(), request);
}

UPCALL_RUNTIME ERL_NIF_TERM frame::selected_function() {
  const std::uint32_t index = m_due->selected;
  const ERL_NIF_TERM selected =
      index == frame_due::no_function ? atoms::nil.raw() : root_term(index);
  m_due.change().has_news = false;
  return selected;
}

UPCALL_RUNTIME void frame::end_suspended() noexcept {
  if (m_due->borrowing_error) end_borrowing(lives_on::no);
  if (m_handle != nullptr) {
    m_handle->suspended = nullptr;
    if (!m_handle_is_shared) of_this_thread<frame_handles>().give(m_handle);
    m_handle = nullptr;
  }
  counts.suspended.fetch_sub(1, std::memory_order_relaxed);
  m_was_suspended = false;
}

UPCALL_RUNTIME ERL_NIF_TERM frame::halts_before(ERL_NIF_TERM reply, ERL_NIF_TERM token) {
  ERL_NIF_TERM continuations = enif_make_list(m_env, 0);
  for (const root_handle& each : m_due->to_halt)
    continuations = enif_make_list_cell(m_env, root_term(each->index()), continuations);
  m_due.change().to_halt.clear();
  return detail::make_tuple(m_env, atoms::halt.raw(), continuations, token, reply);
}

UPCALL_RUNTIME ERL_NIF_TERM frame::final_reply() noexcept {
  try {
    if (m_is_abandoned)
      return m_env == nullptr ? 0 : with_halts(atoms::ok.raw(), atoms::ended.raw());
    const root_handle& kept = m_due->kept_result;
    return with_halts(kept ? root_term(kept->index()) : m_due->result, atoms::ended.raw());
  } catch (...) {
    return reply_of_current_exception();
  }
}

UPCALL_RUNTIME function_copy frame::copy_of(const root_handle& used) {
  if (m_is_abandoned) throw abandoned{};
  const ERL_NIF_TERM raw = root_term(used->index());
  if (function_copy known = kept().copy_of(used)) return known;
  auto made = std::make_shared<const owned_term>(raw);
  const auto unused = kept().add(made, used);
  return made;
}

UPCALL_RUNTIME root_handle frame::root_of(const function_copy& copy) {
  check_may_request();
  if (root_handle known = kept().root_of(copy)) return known;
  root_handle made = make_root(copy->copy_to(m_env));
  const auto unused = kept().add(copy, made);
  return made;
}

/// An error's outcome is a root of the frame that caught it.
class error_kept_for_frame final : public kept_error {
 public:
  explicit error_kept_for_frame(root_handle outcome) noexcept : m_outcome(std::move(outcome)) {}

  [[nodiscard]] std::optional<error_terms> here(ErlNifEnv* env) const noexcept override {
    const auto* const running = static_cast<const frame*>(m_outcome->place().here());
    if (running == nullptr || running->env() != env) return std::nullopt;
    try {
      return detail::parse_outcome(env, running->root_term(m_outcome->index())).terms;
    } catch (const error&) {  // Elixir's side has brought other roots
      return std::nullopt;
    }
  }
  [[nodiscard]] ERL_NIF_TERM reply_here(ErlNifEnv* /*env*/) const noexcept override { return 0; }
  [[nodiscard]] std::optional<owned_term> banner_here() const override { return std::nullopt; }

 private:
  root_handle m_outcome;
};

UPCALL_RUNTIME void frame::throw_outcome() {
  if (m_outcome_kind == outcome_kind::abandoned) throw abandoned{};
  const parsed_outcome parsed = detail::parse_outcome(m_env, m_outcome);
  auto thrown = std::make_shared<error_content>(parsed.kind, m_env, parsed.terms);
  m_due.change().borrowing_error = thrown;
  throw error(std::move(thrown));
}

UPCALL_RUNTIME void frame::end_borrowing(lives_on frame_does) noexcept {
  const std::shared_ptr<error_content> thrown =
      std::exchange(m_due.change().borrowing_error, nullptr);
  if (thrown.use_count() == 1) return;
  thrown->end_step([&]() -> std::unique_ptr<kept_error> {
    if (frame_does == lives_on::no) return nullptr;
    return std::make_unique<error_kept_for_frame>(make_root(m_outcome));
  });
}

UPCALL_RUNTIME void frame::check_nothing_pending() {
  ERL_NIF_TERM reason = 0;
  if (!enif_has_pending_exception(m_env, &reason)) return;
  throw error(error_kind::raised, reason, enif_make_list(m_env, 0),
              "an exception was already raised by enif_make_badarg or enif_raise_exception");
}

UPCALL_RUNTIME void frame::refuse_abandoned() {
  if (++m_refusals >= most_refusals) park(0);
  throw abandoned{};
}

UPCALL_RUNTIME void frame::throw_forged_roots() {
  raise("Elixir.ArgumentError", "the roots of this frame are not those it handed out");
}

UPCALL_RUNTIME void frame::throw_in_codec() {
  raise("Elixir.RuntimeError",
        "an upcall was made while terms are being encoded or decoded, or an exception is being "
        "translated; make it before or after");
}

UPCALL_RUNTIME void frame::throw_not_awaited() {
  raise("Elixir.RuntimeError",
        "a coroutine (upcall::task) can't wait in the middle of an expression: co_await an "
        "upcall::async_function, an upcall::future or upcall::exclusive::async_lock");
}

UPCALL_RUNTIME void frame::throw_time_not_awaited() {
  raise("Elixir.RuntimeError",
        "upcall::give_time() was called in a coroutine (upcall::task), which did not co_await it");
}

UPCALL_RUNTIME void frame::park(ERL_NIF_TERM reply) noexcept {
  m_step->reply = reply;
  counts.parked.fetch_add(1, std::memory_order_relaxed);  // before anybody is told
  lose_held();
  if (awaited != nullptr) awaited->leave();
  end();
  report_parked(nif());
  lose();
  __builtin_unreachable();  // GCC forgets that of a virtual function that it inlines
}

UPCALL_RUNTIME void frame::give_time() {
  if (body() == body_kind::coroutine) {
    check_not_in_codec();
    if (std::exchange(m_owes_time, true)) throw_time_not_awaited();
    return;
  }
  check_may_suspend();
  if (slice_is_over()) suspend(detail::yield_request(*this));
}

UPCALL_RUNTIME named_answer
frame::call_named(const char* module, const char* function,
                  function_ref<ERL_NIF_TERM(ErlNifEnv*)> make_arguments) {
  check_may_suspend();
  const ERL_NIF_TERM arguments = make_arguments(m_env);
  const ERL_NIF_TERM value = suspend(detail::mfa_request(*this, module, function, arguments));
  return {m_env, value};
}

UPCALL_RUNTIME std::string text_of(const std::exception_ptr& failure) {
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

UPCALL_RUNTIME bool frame::can_leave() const noexcept {
  ERL_NIF_TERM pending = 0;
  return body() == body_kind::fiber && m_env != nullptr && !m_in_codec &&
         !enif_has_pending_exception(m_env, &pending);
}

UPCALL_RUNTIME bool frame::let_others_run() noexcept {
  if (!can_leave()) return false;
  if (!slice_is_over()) return true;
  try {
    // Its process waits for a frame that it closes, and does not yield for it.
    m_step->reply = m_is_abandoned ? atoms::yield.raw() : with_all_due(yield_request(*this));
  } catch (...) {
    return false;  // the roots were changed by hand
  }
  leave();
  return true;
}

UPCALL_RUNTIME void frame::bear_question(std::exception_ptr& failure) noexcept {
  if (let_others_run() || !m_c_failures.is_too_much(step_number())) return;
  const ERL_NIF_TERM reply = m_is_abandoned ? 0 : detail::endless_reply(m_env, failure);
  failure = nullptr;  // nobody will let go of it later
  park(reply);
}

UPCALL_RUNTIME void frame::wait_for(waitable& wanted, clock::time_point until) {
  const awaited_in_frame waiting(*this, wanted);
  suspend(detail::wait_request(*this, until));
}

UPCALL_RUNTIME void frame::refuse_returned(std::uint32_t /*index*/, std::string_view where,
                                           std::string_view expected, ERL_NIF_TERM got) {
  suspend(detail::bad_return_request(*this, where, expected, got));
  throw_unexpected(expected);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
