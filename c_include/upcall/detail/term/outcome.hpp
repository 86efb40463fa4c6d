#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "error_content.hpp"
#include "term_measure.hpp"

// Elixir tells what a function did as `[class, reason, exception | stack_trace]`. `exception` is
// what the reason of a raise is to Elixir where it is none already (`:badarith`), else nil; `:text`
// where the reason is text in the place of a term.

namespace upcall UPCALL_HIDDEN {
namespace detail {

struct parsed_outcome {
  error_kind kind;
  error_terms terms;
};

[[noreturn]] UPCALL_COLD inline void throw_malformed_outcome() {
  raise("Elixir.ArgumentError", "a malformed outcome");
}

parsed_outcome parse_outcome(ErlNifEnv* env, ERL_NIF_TERM outcome);

const static_atom& class_of(error_kind kind) noexcept;

ERL_NIF_TERM make_outcome(ErlNifEnv* env, error_kind kind, const error_terms& terms) noexcept;

/// Whether Elixir's side of this library can have told that.
bool is_outcome(ERL_NIF_TERM outcome) noexcept;

/// Makes an outcome in its own `env` that has text in the place of what is too large to be copied.
ERL_NIF_TERM make_text_outcome(ErlNifEnv* env, ERL_NIF_TERM outcome);

/// An outcome that is to be sent to where it must be copied.
class bounded_outcome {
 public:
  /// `seen` is a list that ends with the outcome; the rest is what functions have captured. Throws:
  /// `error` where it is none.
  bounded_outcome(ErlNifEnv* env, ERL_NIF_TERM seen);

  /// Gives the functions that it depends on how much is copied.
  [[nodiscard]] const std::vector<ERL_NIF_TERM>& functions() const noexcept { return m_functions; }
  /// Gives it, or one that has text in the place of terms.
  [[nodiscard]] ERL_NIF_TERM to_send() const {
    return m_may_copy ? m_outcome : detail::make_text_outcome(m_env, m_outcome);
  }
  /// Whether Elixir prints it in no time.
  [[nodiscard]] bool is_short() const noexcept {
    constexpr std::size_t most_words = 1000;
    return m_may_copy && term_measure(most_words).add(m_outcome);
  }
  [[nodiscard]] std::string text() const {
    return detail::error_text(m_parsed.kind, m_parsed.terms);
  }

 private:
  ErlNifEnv* m_env;
  ERL_NIF_TERM m_outcome = 0;
  parsed_outcome m_parsed{};
  bool m_may_copy = false;
  std::vector<ERL_NIF_TERM> m_functions;
};

/// Makes the error of an outcome that lives in `env`, which the error shares from now on. `kept`
/// are its terms, where it is text.
error error_of_outcome(std::shared_ptr<owned_env> env, ERL_NIF_TERM outcome,
                       std::unique_ptr<kept_error> kept = nullptr);

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "outcome.ipp"  // IWYU pragma: export
#endif
