#pragma once

#include <erl_nif.h>

#include <chrono>
#include <string>

#include "../../error.hpp"
#include "../../executor.hpp"
#include "../base/config.hpp"
#include "../term/codec_error.hpp"
#include "../term/outcome.hpp"
#include "../term/term_text.hpp"
#include "executor_failure.hpp"
#include "slot.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

UPCALL_RUNTIME std::string text_of_duration(std::chrono::nanoseconds timeout) {
  using std::chrono::duration_cast;
  const auto microseconds = duration_cast<std::chrono::microseconds>(timeout).count();
  return microseconds % 1000 == 0 ? std::to_string(microseconds / 1000) + " ms"
                                  : std::to_string(microseconds) + " us";
}

UPCALL_RUNTIME error error_of_reply(const reply& given, const executor& asked,
                                    std::chrono::nanoseconds timeout) {
  const auto failure = [&](error_kind kind, ERL_NIF_TERM reason, const std::string& text) {
    return error(kind, executor_failure{asked.raw(), reason, given.has_begun},
                 "executor " + printed(asked.raw()) + text);
  };
  switch (given.kind) {
    case reply_kind::timed_out:
      if (!given.executor_has_spoken) {
        return failure(error_kind::timed_out, atoms::timeout.raw(),
                       " did not answer within " + text_of_duration(timeout) +
                           ", and has never said that it is an executor: call an Upcall.Server or "
                           "an Upcall.Pool; if it is one, it was busy all the time: give the call "
                           "a longer timeout");
      }
      return failure(error_kind::timed_out, atoms::timeout.raw(),
                     " did not answer within " + text_of_duration(timeout) +
                         "; give the call a longer timeout, or the executor more workers");
    case reply_kind::executor_down: {
      const owned_env env;
      const ERL_NIF_TERM reason = given.content == 0 ? atoms::unknown.raw() : given.content;
      return failure(error_kind::executor_down,
                     enif_make_tuple2(env.get(), atoms::down.raw(), env.copy(reason)),
                     " died while it had the call: " + printed(reason));
    }
    case reply_kind::no_executor:
      return failure(error_kind::no_executor, atoms::noproc.raw(),
                     " is not running; add it to your supervision tree");
    case reply_kind::calling_self:
      return failure(error_kind::calling_self, atoms::calling_self.raw(),
                     " is the process that makes the call, and would wait for itself; call the "
                     "function directly, or through a pool that has other workers");
    case reply_kind::overloaded:
      return failure(error_kind::overloaded, atoms::overloaded.raw(),
                     " has as many calls waiting as it may have, or all dirty IO schedulers but "
                     "one wait; raise :max_queue or :size, start the VM with more (+SDio), or call "
                     "from a frame");
    case reply_kind::caller_gone:
      throw abandoned{};
    case reply_kind::returned:
    case reply_kind::raised:
      break;
  }
  return detail::error_of_outcome(given.env, given.content);
}

UPCALL_RUNTIME void throw_bad_answer(const executor& asked, const bad_term& failure) {
  const std::string expected = "expected " + failure.expected();
  throw codec_error("executor " + printed(asked.raw()) + ": " +
                    (failure.where().empty()
                         ? expected + " from the function"
                         : "in what the function returned: " + failure.where() + expected) +
                    ", got: " + printed(failure.got().raw()));
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
