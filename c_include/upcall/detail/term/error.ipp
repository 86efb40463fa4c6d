#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../../error_kind.hpp"
#include "../../term.hpp"
#include "../call/native_call.hpp"
#include "error_content.hpp"

namespace upcall UPCALL_HIDDEN {

UPCALL_RUNTIME error::error(error_kind kind, const detail::executor_failure& failure,
                            const std::string& text) {
  auto env = std::make_shared<owned_env>();
  const ERL_NIF_TERM reason = env->copy(failure.reason);
  const ERL_NIF_TERM exception = detail::make_exception(
      env->get(), "Elixir.Upcall.ExecutorError", text,
      {{"reason", reason},
       {"executor", failure.executor},
       {"begun", failure.has_begun ? detail::atoms::true_.raw() : detail::atoms::false_.raw()}});
  take(kind, std::move(env), reason, exception, {"", failure.has_begun}, text);
}

UPCALL_RUNTIME error::error(const char* exception_module, std::string_view message) {
  detail::check_name(exception_module, "an exception's module");
  auto env = std::make_shared<owned_env>();
  const ERL_NIF_TERM reason = detail::make_text(env->get(), message);
  take(error_kind::raised, std::move(env), reason, detail::atoms::nil.raw(),
       {exception_module, true}, std::string(message));
}

UPCALL_RUNTIME error::error(const char* exception_module, const owned_term& argument,
                            std::string text) {
  detail::check_name(exception_module, "an exception's module");
  auto env = std::make_shared<owned_env>();
  const ERL_NIF_TERM reason = env->copy(argument.raw());
  take(error_kind::raised, std::move(env), reason, detail::atoms::nil.raw(),
       {exception_module, true}, std::move(text));
}

UPCALL_RUNTIME ERL_NIF_TERM error::exception(ErlNifEnv* env) const noexcept {
  if (native_module() != nullptr) return detail::make_exception(env, native_module(), what());
  const detail::error_terms terms = m_content->in(env);
  return detail::exception_of(env, terms);
}

UPCALL_RUNTIME ERL_NIF_TERM error::to_term(ErlNifEnv* env) const noexcept {
  switch (kind()) {
    case error_kind::raised:
      return enif_make_tuple2(env, detail::atoms::exception_word.raw(), exception(env));
    case error_kind::exited:
      return enif_make_tuple2(env, detail::atoms::exit.raw(), m_content->in(env).reason);
    case error_kind::threw:
      return enif_make_tuple2(env, detail::atoms::throw_.raw(), m_content->in(env).reason);
    default:
      return m_content->in(env).reason;
  }
}

UPCALL_RUNTIME void error::take(error_kind kind, std::shared_ptr<owned_env> env,
                                ERL_NIF_TERM reason, ERL_NIF_TERM exception,
                                detail::error_origin origin, std::string text) {
  const detail::error_terms terms{reason, exception, enif_make_list(env->get(), 0)};
  m_content =
      std::make_shared<detail::error_content>(kind, std::move(env), terms, std::move(origin));
  m_content->describe(std::move(text));
}

UPCALL_RUNTIME async_banner_of error::async_banner() const noexcept { return {*this}; }

namespace detail {

UPCALL_RUNTIME void check_name(const char* name, const char* what) {
  constexpr std::size_t longest = 255;  // bytes, of an atom that native code makes
  constexpr std::size_t shown = 50;
  const std::string_view text(name);
  if (text.size() <= longest) return;
  raise("Elixir.ArgumentError", std::string("expected the name of ").append(what) +
                                    " (at most 255 bytes), got: \"" +
                                    std::string(text.substr(0, shown)) + "...\" of " +
                                    std::to_string(text.size()) + " bytes");
}

UPCALL_RUNTIME bool may_throw_abandoned() noexcept {
  const native_call* const running = current_call();
  if (running == nullptr || std::uncaught_exceptions() > 0) return false;
  // Nothing of an abandoned coroutine runs but its destructors.
  return running->body() != body_kind::coroutine || !running->is_orphaned();
}

UPCALL_RUNTIME void throw_stale_term(step_mark borrowed) {
  if (borrowed.call == current_step().call) {
    raise("Elixir.ArgumentError",
          "this term was borrowed before an upcall and is stale; "
          "decode it before, or keep it in an upcall::owned_term");
  }
  raise("Elixir.ArgumentError",
        "this term was borrowed in another native call (that stored it in an object, say) and is "
        "stale in this one; store an upcall::owned_term in its place");
}

UPCALL_RUNTIME void throw_no_term(const char* purpose) {
  raise("Elixir.ArgumentError",
        std::string("expected a term ") + purpose +
            ", got: no term (0), which is what enif_make_badarg and enif_raise_exception give");
}

UPCALL_RUNTIME native_call& call_with_terms() {
  native_call* const running = current_call();
  if (running == nullptr)
    raise(
        "Elixir.RuntimeError",
        "no native call of Upcall runs on this thread, so that it has no terms to borrow; take an "
        "upcall::owned_term or a std::string, say");
  return *running;
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
