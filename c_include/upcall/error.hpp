#pragma once

#include <erl_nif.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "atom.hpp"
#include "term.hpp"

namespace upcall UPCALL_HIDDEN {

/// The three classes of what a function can do instead of returning.
enum class error_kind {
  raised,  ///< `raise`, or an error of the VM
  exited,  ///< `exit`
  threw    ///< `throw`
};

/// Says that a function raised, exited or threw, or that Upcall was used wrongly. Let it leave the
/// NIF and the caller gets the same class, the same reason and the stack trace of the raise.
/// Threads: any; copies share their content.
class error : public std::exception {
 public:
  /// Takes what a function did; `text` describes it.
  error(error_kind kind, ERL_NIF_TERM reason, ERL_NIF_TERM stack_trace, std::string text)
      : m_content(std::make_shared<content>(kind, std::move(text))) {
    m_content->reason = m_content->env.copy(reason);
    m_content->stack_trace = m_content->env.copy(stack_trace);
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

  /// Says whether it raised, exited or threw.
  [[nodiscard]] error_kind kind() const noexcept { return m_content->kind; }
  /// Gives the text that Elixir would print.
  [[nodiscard]] const char* what() const noexcept override { return m_content->text.c_str(); }

  /// Gives the exception, exit reason or thrown value. Of an error that C++ made and that has not
  /// been in Elixir yet: the argument of the module's `exception/1`.
  [[nodiscard]] owned_term reason() const noexcept { return share(m_content->reason); }
  /// Gives the stack trace of the raise; an empty list where C++ made the error.
  [[nodiscard]] owned_term stack_trace() const noexcept { return share(m_content->stack_trace); }

  /// Names the exception module of an error that C++ made, else `nullptr`.
  [[nodiscard]] const char* native_module() const noexcept {
    return m_content->module.empty() ? nullptr : m_content->module.c_str();
  }

 private:
  struct content {
    content(error_kind which, std::string description)
        : kind(which), text(std::move(description)) {}
    owned_env env;
    error_kind kind;
    std::string text;
    std::string module;
    ERL_NIF_TERM reason = 0;
    ERL_NIF_TERM stack_trace = 0;
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

/// Says that nobody waits for this frame any more: its caller was killed. Let it pass; destructors
/// clean up. It derives from nothing, so that `catch (const std::exception&)` does not stop it.
/// Threads: the frame's own.
class abandoned final {};

/// Says that a term is not what was expected, with where it was found: "element 3: ".
/// Threads: the frame's own; what was got is borrowed.
class bad_term : public std::exception {
 public:
  bad_term(std::string expected, ERL_NIF_TERM got) : m_expected(std::move(expected)), m_got(got) {}

  /// Puts a step of the way to the term in front.
  void within(std::string_view place) { m_where.insert(0, std::string(place) + ": "); }

  /// Copies what was got into `env`, for it to outlive the environment that it was found in.
  void copy_to(ErlNifEnv* env) { m_got = term(enif_make_copy(env, m_got.raw())); }

  [[nodiscard]] const char* what() const noexcept override { return m_expected.c_str(); }
  [[nodiscard]] const std::string& expected() const noexcept { return m_expected; }
  [[nodiscard]] const std::string& where() const noexcept { return m_where; }
  [[nodiscard]] const term& got() const noexcept { return m_got; }

 private:
  std::string m_expected;
  std::string m_where;
  term m_got;
};

/// What `try_call` gives: the value, or the error. Threads: any, one at a time.
template <class R>
class result {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  explicit(false) result(value_type value) : m_outcome(std::in_place_index<0>, std::move(value)) {}
  explicit(false) result(upcall::error failure)
      : m_outcome(std::in_place_index<1>, std::move(failure)) {}

  /// Whether there is a value.
  [[nodiscard]] bool has_value() const noexcept { return m_outcome.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Gives the value. Throws: the error, where there is none.
  const value_type& value() const {
    if (!has_value()) throw std::get<1>(m_outcome);
    return std::get<0>(m_outcome);
  }
  /// Gives the value, or `other`.
  [[nodiscard]] value_type value_or(value_type other) const {
    return has_value() ? std::get<0>(m_outcome) : std::move(other);
  }
  /// Gives the error. Throws: `std::bad_variant_access` where there is a value.
  [[nodiscard]] const upcall::error& error() const { return std::get<1>(m_outcome); }

 private:
  std::variant<value_type, upcall::error> m_outcome;
};

namespace detail {

[[noreturn]] inline void throw_stale_term() {
  raise("Elixir.ArgumentError",
        "this term was borrowed before an upcall and is stale; "
        "decode it before, or keep it in an upcall::owned_term");
}

}  // namespace detail

}  // namespace UPCALL_HIDDEN
