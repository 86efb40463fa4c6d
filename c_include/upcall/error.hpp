#pragma once

#include <erl_nif.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "atom.hpp"
#include "detail/term/error_content.hpp"
#include "error_kind.hpp"
#include "term.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// Which executor (a pid or a name) failed, and why: what stands behind `:error`.
struct executor_failure {
  ERL_NIF_TERM executor;
  ERL_NIF_TERM reason;
  bool has_begun;
};

/// Refuses what can't be the name of a module, a function or a field, as no atom has it. `what`
/// says which of these was meant. Throws: `error`.
void check_name(const char* name, const char* what);

}  // namespace detail

struct async_banner_of;

/// Says that a function raised, exited or threw, that an executor did not run it, or that Upcall
/// was used wrongly. Let it leave the NIF and the caller gets the same class, the same reason and
/// the stack trace of the raise; where an executor failed, an `Upcall.ExecutorError`.
///
/// What the function raised stays a term of Elixir's: nothing of it is copied, and no text made,
/// before somebody wants it. An error that outlives the step it was caught in (another upcall, the
/// end of the native call) takes a copy along. A reason that is too large for that, or whose copy
/// would be (half a megabyte; parts that it shares count as often as they appear), and one with a
/// function in it, whose captured terms native code can't see, comes out of its native call as it
/// is. Elsewhere a text stands in its place: see `is_text`.
///
/// Threads: any; copies share their content.
class error : public std::exception {
 public:
  /// Takes what a function did, whose terms may be of any environment; `text` describes it.
  /// `exception` is what Elixir makes of the reason of a raise, where that is no exception of
  /// Elixir's already; else 0.
  error(error_kind kind, ERL_NIF_TERM reason, ERL_NIF_TERM stack_trace, std::string text,
        ERL_NIF_TERM exception = 0)
      : m_content(std::make_shared<detail::error_content>(
            kind, nullptr,
            detail::error_terms{reason, exception == 0 ? detail::atoms::nil.raw() : exception,
                                stack_trace})) {
    m_content->describe(std::move(text));
    m_content->end_step([] { return nullptr; });
  }

  /// Says why an executor did not run a function, or not to its end.
  error(error_kind kind, const detail::executor_failure& failure, const std::string& text);

  /// Makes an Elixir exception, as `raise module, message` does. Throws: `error` where no module
  /// can have that name.
  error(const char* exception_module, std::string_view message);

  /// Makes an Elixir exception of what the module's `exception/1` takes; `text` describes it.
  /// Throws: `error` where no module can have that name.
  error(const char* exception_module, const owned_term& argument, std::string text);

  /// Takes what is shared already.
  explicit error(std::shared_ptr<detail::error_content> content) noexcept
      : m_content(std::move(content)) {}

  // Not moved: one that was moved from would have no text.
  error(const error&) noexcept = default;
  error& operator=(const error&) noexcept = default;
  ~error() override = default;

  /// Says whether the function had begun. Where an executor failed before that, the function was
  /// not run and never will be, so that it is safe to try again. True of all errors but those of
  /// executors.
  [[nodiscard]] bool has_begun() const noexcept { return m_content->origin().has_begun; }

  /// Says what came in the place of a value.
  [[nodiscard]] error_kind kind() const noexcept { return m_content->kind(); }
  /// Gives a text, at most 1,000 bytes: the class, the exception's name and, where that is a
  /// string, its message; else what the reason is made of. It is made when it is first asked for,
  /// without Elixir, whose own text `banner` gives. Threads: any.
  [[nodiscard]] const char* what() const noexcept override { return m_content->text(); }

  /// Gives the exception, exit reason or thrown value; of an executor's failure, what stands behind
  /// `:error` in `result::to_term`. Of an error that C++ made and that has not been in Elixir yet:
  /// the argument of the module's `exception/1`. It is copied when it is first asked for; where
  /// that may not be, it `is_text`. Threads: any.
  [[nodiscard]] owned_term reason() const noexcept {
    return m_content->owned(&detail::error_terms::reason);
  }
  /// Gives the stack trace of the raise; an empty list where C++ made the error. Arguments that are
  /// too large to be copied are left out of it. Threads: any.
  [[nodiscard]] owned_term stack_trace() const noexcept {
    return m_content->owned(&detail::error_terms::stack_trace);
  }
  /// Says whether `reason()` is a text in the place of a term: a `RuntimeError` where a function
  /// raised, else a string. Threads: any.
  [[nodiscard]] bool is_text() const noexcept { return m_content->is_text(); }
  /// Borrows the reason as it is, of any size, in the native call that caught the error; elsewhere
  /// a copy of `reason()`. Threads: the native call's own. Throws: `error` outside of one.
  [[nodiscard]] term borrow_reason() const {
    return term(m_content->in(detail::current_env()).reason);
  }

  /// Gives the text that Elixir would print, at most 1,000 characters: `Exception.format_banner`,
  /// which calls code of the exception's. It makes an upcall.
  /// Threads: the native call's own; on a fiber, you may be on another thread afterwards. Throws:
  /// `error` outside of a native call, and in a coroutine, which awaits `async_banner`;
  /// `abandoned`.
  [[nodiscard]] std::string banner() const;
  /// Gives the same in a coroutine: `co_await failure.async_banner()`, outside of the handler.
  [[nodiscard]] async_banner_of async_banner() const noexcept;

  /// Names the exception module of an error that C++ made and that has not been in Elixir yet, else
  /// `nullptr`.
  [[nodiscard]] const char* native_module() const noexcept {
    const std::string& module = m_content->origin().module;
    return module.empty() ? nullptr : module.c_str();
  }
  /// Gives the exception as an Elixir struct. One that C++ made by `raise` has not been through its
  /// module's `exception/1`, and has the text alone. Threads: those of `env`.
  [[nodiscard]] ERL_NIF_TERM exception(ErlNifEnv* env) const noexcept;

  /// Gives what stands behind `:error` in `result::to_term`. Threads: those of `env`.
  [[nodiscard]] ERL_NIF_TERM to_term(ErlNifEnv* env) const noexcept;

  /// Gives what copies share, for who passes it on.
  [[nodiscard]] detail::error_content& content() const noexcept { return *m_content; }

 private:
  void take(error_kind kind, std::shared_ptr<owned_env> env, ERL_NIF_TERM reason,
            ERL_NIF_TERM exception, detail::error_origin origin, std::string text);

  std::shared_ptr<detail::error_content> m_content;
};

/// Is what `error::async_banner` gives: to `co_await`.
struct [[nodiscard("nothing is asked before it is awaited: co_await it")]] async_banner_of {
  error failure;
};

/// Raises the Elixir exception `exception_module` ("Elixir.ArgumentError") with a message.
/// Threads: any. Throws: always, `error`.
[[noreturn]] inline void raise(const char* exception_module, std::string_view message) {
  throw error(exception_module, message);
}

/// Says that nobody waits for this native call any more: its caller was killed, or wants no more of
/// its values. Let it pass; destructors clean up. It derives from nothing, so that `catch (const
/// std::exception&)` does not stop it. Threads: the call's own.
class abandoned final {};

namespace detail {

/// Whether `abandoned` can go from here to where the native call began: not out of a destructor,
/// which may not throw, nor out of a thread that a pinned body has started.
bool may_throw_abandoned() noexcept;

}  // namespace detail

/// Says that a term is not what was expected, with where it was found: "element 3: ".
/// Threads: the call's own; what was got is borrowed.
class bad_term : public std::exception {
 public:
  bad_term(std::string expected, ERL_NIF_TERM got) : m_expected(std::move(expected)), m_got(got) {}

  /// Puts a step of the way to the term in front.
  void within(std::string_view place) { m_where.insert(0, std::string(place) + ": "); }

  /// Takes a copy of what was got, which outlives the environment that it was found in.
  void replace_got(ERL_NIF_TERM copy) { m_got = term(copy); }

  [[nodiscard]] const char* what() const noexcept override { return m_expected.c_str(); }
  [[nodiscard]] const std::string& expected() const noexcept { return m_expected; }
  [[nodiscard]] const std::string& where() const noexcept { return m_where; }
  [[nodiscard]] const term& got() const noexcept { return m_got; }

 private:
  std::string m_expected;
  std::string m_where;
  term m_got;
};

namespace detail {

native_call& call_with_terms();

inline ErlNifEnv* current_env() { return call_with_terms().term_env(); }

}  // namespace detail

}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "detail/term/error.ipp"         // IWYU pragma: export
#include "detail/term/error_banner.hpp"  // IWYU pragma: export
#endif
