#pragma once

#include <cxxabi.h>
#include <dlfcn.h>
#include <erl_nif.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <typeinfo>

#include "../../error.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "../term/exception_replies.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

inline constinit std::terminate_handler earlier_terminate_handler = nullptr;

inline std::string terminate_message() noexcept {
  std::string text =
      "C++ called std::terminate, so this native call could not go on, and what it holds is lost";
  try {
    if (const std::exception_ptr cause = std::current_exception()) std::rethrow_exception(cause);
  } catch (const std::exception& e) {
    text += "; an exception met a destructor or a noexcept function: ";
    if (e.what() != nullptr) text += e.what();
    text += "; in a destructor use cast or try_call";
  } catch (...) {
    text +=
        "; an exception met a destructor or a noexcept function; in a destructor use cast or "
        "try_call";
  }
  return text;
}

/// Says what to write instead, before the VM ends, where an exception has left the destructor of a
/// resource. Of others it can't be known whose they are: this may be a frame of another library's,
/// whose handler is asked next.
inline void report_thrown_by_destructor() noexcept {
  if (this_thread_calls().destructor_env == nullptr) return;
  std::string text;
  try {
    if (const std::exception_ptr cause = std::current_exception()) std::rethrow_exception(cause);
  } catch (const std::exception& failure) {
    text = std::string(": ") + failure.what();
  } catch (...) {
  }
  std::fprintf(
      stderr,
      "upcall: an exception left the destructor of a resource, on a scheduler, which ends "
      "the VM%s. In a destructor use cast or try_call, and catch what else may be thrown\n",
      text.c_str());
}

/// Whether the exception that is being handled is of a type of this library's. Those of other
/// libraries are theirs to deal with: all have a handler, and each is asked in its turn.
inline bool exception_is_of_this_library() noexcept {
  static constinit char inside = 0;
  const std::type_info* const type = abi::__cxa_current_exception_type();
  Dl_info thrown{};
  Dl_info here{};
  return type != nullptr && dladdr(type, &thrown) != 0 && dladdr(&inside, &here) != 0 &&
         thrown.dli_fbase == here.dli_fbase;
}

/// Says what to write instead where an exception of ours has ended a thread that C++ has started,
/// before that ends the VM.
inline void report_uncaught_on_thread() noexcept {
  if (enif_thread_type() != ERL_NIF_THR_UNDEFINED || !exception_is_of_this_library()) return;
  try {
    std::rethrow_exception(std::current_exception());
  } catch (const error& failure) {
    std::fprintf(stderr,
                 "upcall: a thread that C++ has started did not catch an upcall::error, which ends "
                 "the VM: %s. Catch it on that thread, or call by try_call\n",
                 failure.what());
  } catch (const abandoned&) {
    std::fprintf(stderr,
                 "upcall: a thread that C++ has started did not catch upcall::abandoned, which "
                 "ends the VM: nobody waits for its native call any more. Catch it where that "
                 "thread begins\n");
  } catch (...) {  // is another's to tell of
  }
}

/// An exception that can go nowhere (out of a destructor, or of a noexcept function) ends the VM.
/// In a native call it need not: what that holds is left behind, and its caller, if there is one,
/// is told.
[[noreturn]] inline void terminate_native_call() noexcept {
  native_call* const running = current_call();
  // A scheduler on which the arguments of a pinned call are decoded is not to be parked.
  if (running == nullptr || !running->may_wait_here()) {
    report_thrown_by_destructor();
    report_uncaught_on_thread();
    if (earlier_terminate_handler != nullptr) earlier_terminate_handler();
    std::abort();
  }
  // The text is gone before the stack is lost, which frees nothing.
  ERL_NIF_TERM reply = 0;
  if (ErlNifEnv* const env = running->reply_env())
    reply = detail::exception_reply(env, "Elixir.RuntimeError", terminate_message());
  running->park(reply);
  __builtin_unreachable();  // GCC forgets that of a virtual function that it inlines
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
