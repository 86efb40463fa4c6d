#pragma once

#include <erl_nif.h>

#include <exception>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "atom.hpp"
#include "term.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// Which executor (a pid or a name) failed, and why: what stands behind `:error`.
struct executor_failure {
  ERL_NIF_TERM executor;
  ERL_NIF_TERM reason;
  bool has_begun;
};

/// Makes the struct of an exception that has a message, and maybe more fields.
inline ERL_NIF_TERM make_exception(
    ErlNifEnv* env, const char* module, std::string_view message,
    std::initializer_list<std::pair<const char*, ERL_NIF_TERM>> fields = {}) noexcept {
  ERL_NIF_TERM keys[] = {atoms::struct_.raw(), atoms::exception.raw(), atoms::message.raw()};
  ERL_NIF_TERM values[] = {enif_make_atom(env, module), atoms::true_.raw(),
                           detail::make_text(env, message)};
  ERL_NIF_TERM made = 0;
  enif_make_map_from_arrays(env, keys, values, 3, &made);
  for (const auto& [key, value] : fields)
    enif_make_map_put(env, made, enif_make_atom(env, key), value, &made);
  return made;
}

}  // namespace detail

/// What can come of a call in the place of a value: the three classes of what a function can do
/// instead of returning, and why an executor did not run it, or not to its end.
enum class error_kind {
  raised,         ///< `raise`, or an error of the VM
  exited,         ///< `exit`
  threw,          ///< `throw`
  timed_out,      ///< no answer in time; where it had not begun, it never will
  executor_down,  ///< the executor died meanwhile; `reason()` has its exit reason
  no_executor,    ///< no such process
  calling_self,   ///< the executor is the very process that calls: it would wait for itself
  overloaded      ///< too many calls wait already, for the executor or on dirty IO schedulers
};

/// Says that a function raised, exited or threw, that an executor did not run it, or that Upcall
/// was used wrongly. Let it leave the NIF and the caller gets the same class, the same reason and
/// the stack trace of the raise; where an executor failed, an `Upcall.ExecutorError`.
/// Threads: any; copies share their content.
class error : public std::exception {
 public:
  /// Takes what a function did; `text` describes it. `exception` is what Elixir makes of the reason
  /// of a raise, where that is no exception of Elixir's already; else 0.
  error(error_kind kind, ERL_NIF_TERM reason, ERL_NIF_TERM stack_trace, std::string text,
        ERL_NIF_TERM exception = 0)
      : m_content(std::make_shared<content>(kind, std::move(text))) {
    m_content->reason = m_content->env.copy(reason);
    m_content->stack_trace = m_content->env.copy(stack_trace);
    if (exception != 0) m_content->exception = m_content->env.copy(exception);
  }

  /// Says why an executor did not run a function, or not to its end.
  error(error_kind kind, const detail::executor_failure& failure, const std::string& text)
      : m_content(std::make_shared<content>(kind, text)) {
    ErlNifEnv* env = m_content->env.get();
    m_content->reason = m_content->env.copy(failure.reason);
    m_content->stack_trace = enif_make_list(env, 0);
    m_content->exception = detail::make_exception(
        env, "Elixir.Upcall.ExecutorError", text,
        {{"reason", m_content->reason},
         {"executor", failure.executor},
         {"begun", failure.has_begun ? detail::atoms::true_.raw() : detail::atoms::false_.raw()}});
    m_content->has_begun = failure.has_begun;
  }

  /// Makes an Elixir exception, as `raise module, message` does.
  error(const char* exception_module, std::string_view message)
      : m_content(std::make_shared<content>(error_kind::raised, std::string(message))) {
    ErlNifEnv* env = m_content->env.get();
    m_content->module = exception_module;
    m_content->reason = detail::make_text(env, message);
    m_content->stack_trace = enif_make_list(env, 0);
  }

  /// Makes an Elixir exception of what the module's `exception/1` takes; `text` describes it.
  error(const char* exception_module, const owned_term& argument, std::string text)
      : m_content(std::make_shared<content>(error_kind::raised, std::move(text))) {
    m_content->module = exception_module;
    m_content->reason = m_content->env.copy(argument.raw());
    m_content->stack_trace = enif_make_list(m_content->env.get(), 0);
  }

  /// Says whether the function had begun. Where an executor failed before that, the function was
  /// not run and never will be, so that it is safe to try again. True of all errors but those of
  /// executors.
  [[nodiscard]] bool has_begun() const noexcept { return m_content->has_begun; }

  /// Says what came in the place of a value.
  [[nodiscard]] error_kind kind() const noexcept { return m_content->kind; }
  /// Gives the text that Elixir would print.
  [[nodiscard]] const char* what() const noexcept override { return m_content->text.c_str(); }

  /// Gives the exception, exit reason or thrown value; of an executor's failure, what stands behind
  /// `:error` in `result::to_term`. Of an error that C++ made and that has not been in Elixir yet:
  /// the argument of the module's `exception/1`.
  [[nodiscard]] owned_term reason() const noexcept { return share(m_content->reason); }
  /// Gives the stack trace of the raise; an empty list where C++ made the error.
  [[nodiscard]] owned_term stack_trace() const noexcept { return share(m_content->stack_trace); }

  /// Names the exception module of an error that C++ made and that has not been in Elixir yet, else
  /// `nullptr`.
  [[nodiscard]] const char* native_module() const noexcept {
    return m_content->module.empty() ? nullptr : m_content->module.c_str();
  }
  /// Gives the exception as an Elixir struct. One that C++ made by `raise` has not been through its
  /// module's `exception/1`, and has the text alone. Threads: those of `env`.
  [[nodiscard]] ERL_NIF_TERM exception(ErlNifEnv* env) const noexcept {
    if (m_content->exception != 0) return enif_make_copy(env, m_content->exception);
    if (m_content->module.empty()) return enif_make_copy(env, m_content->reason);
    return detail::make_exception(env, m_content->module.c_str(), m_content->text);
  }

  /// Gives what stands behind `:error` in `result::to_term`. Threads: those of `env`.
  [[nodiscard]] ERL_NIF_TERM to_term(ErlNifEnv* env) const noexcept {
    const ERL_NIF_TERM raw = enif_make_copy(env, m_content->reason);
    switch (kind()) {
      case error_kind::raised:
        return enif_make_tuple2(env, detail::atoms::exception_word.raw(), exception(env));
      case error_kind::exited:
        return enif_make_tuple2(env, detail::atoms::exit.raw(), raw);
      case error_kind::threw:
        return enif_make_tuple2(env, detail::atoms::throw_.raw(), raw);
      default:
        return raw;
    }
  }

 private:
  struct content {
    content(error_kind which, std::string description)
        : kind(which), text(std::move(description)) {}
    owned_env env;
    error_kind kind;
    std::string text;
    std::string module;
    bool has_begun = true;
    ERL_NIF_TERM reason = 0;
    ERL_NIF_TERM stack_trace = 0;
    ERL_NIF_TERM exception = 0;  // 0: the reason is one, or `module` is yet to make it
  };
  [[nodiscard]] owned_term share(ERL_NIF_TERM raw) const noexcept {
    return {std::shared_ptr<owned_env>(m_content, &m_content->env), raw};
  }

  std::shared_ptr<content> m_content;
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

/// Whether the calling code can only be that of a destructor, which may not throw. (frame.hpp)
bool is_in_destructor() noexcept;

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

[[noreturn]] inline void throw_stale_term(step_mark borrowed) {
  if (borrowed.frame == current_step().frame) {
    raise("Elixir.ArgumentError",
          "this term was borrowed before an upcall and is stale; "
          "decode it before, or keep it in an upcall::owned_term");
  }
  raise("Elixir.ArgumentError",
        "this term was borrowed in another native call (that stored it in an object, say) and is "
        "stale in this one; store an upcall::owned_term in its place");
}

[[noreturn]] inline void throw_no_term_to_keep() {
  raise("Elixir.ArgumentError",
        "expected a term to keep in an upcall::owned_term, got: no term (0), which is what "
        "enif_make_badarg and enif_raise_exception give");
}

}  // namespace detail

}  // namespace UPCALL_HIDDEN
