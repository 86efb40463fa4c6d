#pragma once

#include <erl_nif.h>

#include <memory>

#include "../term.hpp"
#include "config.hpp"

// What comes of a call through an executor.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// What a call came to.
enum class reply_kind {
  returned,
  raised,  ///< or threw, or exited: an outcome of `Upcall.Error`
  timed_out,
  executor_down,  ///< with its exit reason
  no_executor,
  calling_self,
  overloaded,
  caller_gone
};

/// What came of a call.
struct reply {
  reply_kind kind = reply_kind::timed_out;
  bool has_begun = false;
  bool executor_has_spoken = true;   ///< of a timeout: the process has said that it is an executor
  std::shared_ptr<owned_env> env{};  ///< of the content; none where that is a word alone
  ERL_NIF_TERM content = 0;

  /// Gives an environment to read the content in. Threads: those that do.
  [[nodiscard]] ErlNifEnv* reading_env() const noexcept {
    return env != nullptr ? env->get() : env_for_words();
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
