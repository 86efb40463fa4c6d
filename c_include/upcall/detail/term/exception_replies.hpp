#pragma once

#include <cxxabi.h>
#include <erl_nif.h>

#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../base/registered.hpp"
#include "../call/native_call.hpp"
#include "resource_type.hpp"

// What becomes of a C++ exception that leaves a native call.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A function that turns exceptions of the user's into Elixir exceptions.
class translator : public registered<translator> {
 public:
  using function = void (*)(const std::exception_ptr&);

  explicit translator(function translates) noexcept : m_translate(translates) { enter(); }
  void translate(const std::exception_ptr& failure) const { m_translate(failure); }

 private:
  function m_translate;
};

inline ERL_NIF_TERM exception_reply(ErlNifEnv* env, const char* module,
                                    std::string_view message) noexcept {
  return enif_make_tuple3(env, atoms::raise_exception.raw(), detail::make_atom(env, module),
                          detail::make_text(env, message));
}

inline ERL_NIF_TERM system_limit_reply(ErlNifEnv* env) noexcept {
  return enif_make_tuple4(env, atoms::raise.raw(), atoms::error.raw(),
                          detail::make_atom(env, "system_limit"), enif_make_list(env, 0));
}

/// Says what to raise. `outer` is the text of what was thrown around it.
ERL_NIF_TERM error_reply(ErlNifEnv* env, const error& failure, const std::string& outer = {});

inline std::string type_name_of_current_exception() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "unknown" : readable_name(*type);
}

/// Calls the user's translators; the first that throws decides.
[[noreturn]] void translate(const std::exception_ptr& failure);

/// What a C++ exception that is none of ours is in Elixir. Without a module: a system limit.
struct elixir_exception {
  const char* module;
  std::string text;
};

/// Says what the exception that is being handled is in Elixir.
elixir_exception elixir_exception_of_current();

ERL_NIF_TERM reply_of(ErlNifEnv* env, nif_identity nif, const std::exception_ptr& failure);

/// Raises an ArgumentError from the NIF itself, for what no C++ body stands behind.
inline ERL_NIF_TERM raise_argument_error(ErlNifEnv* env, const char* message) noexcept {
  return enif_raise_exception(env, detail::make_exception(env, "Elixir.ArgumentError", message));
}

/// Raises the current exception from a NIF that has no trampoline around it, which would call the
/// `exception/1` of its module.
ERL_NIF_TERM raise_current_exception(ErlNifEnv* env) noexcept;

ERL_NIF_TERM reply_of_current_exception(ErlNifEnv* env, nif_identity nif) noexcept;

/// Makes the reply in the environment of the NIF. With an exception pending there, the VM takes no
/// reply but only another exception in its place.
ERL_NIF_TERM reply_in_nif(ErlNifEnv* env, nif_identity nif) noexcept;

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "exception_replies.ipp"  // IWYU pragma: export
#endif
