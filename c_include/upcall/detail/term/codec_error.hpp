#pragma once

#include <erl_nif.h>

#include <string>
#include <string_view>
#include <typeinfo>

#include "../../atom.hpp"
#include "../../error.hpp"
#include "../base/config.hpp"
#include "../base/library_part.hpp"
#include "../call/native_call.hpp"
#include "resource_type.hpp"
#include "term_text.hpp"

// What becomes of a codec that fails in the way of C NIFs: it gives no term, or raises in the VM.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Names a NIF as Elixir does: "Demo.Native.integrate/3".
inline std::string name_of(nif_identity nif) {
  return printed(library_module) + "." + nif.name + "/" + std::to_string(nif.arity);
}

/// Says that a codec has failed, with where: an `ArgumentError`, whose text grows on its way out,
/// as the `where` of a `bad_term` does.
class codec_error final : public error {
 public:
  explicit codec_error(std::string fact) : error("Elixir.ArgumentError", fact), m_fact(fact) {
    if (const native_call* const running = current_call()) name(running->nif());
  }

  /// Puts a step of the way to the value in front.
  void within(std::string_view place) {
    m_where.insert(0, std::string(place) + ": ");
    tell();
  }
  /// Names the native call, on a thread that does not know.
  void name(nif_identity nif) {
    m_nif = name_of(nif) + ": ";
    tell();
  }
  [[nodiscard]] const std::string& where() const noexcept { return m_where; }

 private:
  // Who catches it as an `error` copies that part of it, so that it always has the whole text.
  void tell() {
    static_cast<error&>(*this) = error("Elixir.ArgumentError", m_nif + m_where + m_fact);
  }

  std::string m_nif;
  std::string m_where;
  std::string m_fact;
};

[[noreturn]] UPCALL_COLD UPCALL_NOINLINE inline void throw_no_term(const std::type_info& type) {
  throw codec_error("the codec of " + readable_name(type) +
                    " gave no term (0); its encode has to give one, or to throw");
}

// Nothing takes an exception back that is pending in an environment. In that of a NIF it comes out
// of the NIF, whatever that returns, so it is told what has happened. In one of our own it would be
// found again after the next codec, and is marked as told.
[[noreturn]] UPCALL_COLD UPCALL_NOINLINE void throw_raised_in_vm(ErlNifEnv* env,
                                                                 ERL_NIF_TERM reason,
                                                                 const std::type_info& type);

/// Throws where the codec of `T`, which has run in `env`, has raised in the VM.
template <class T>
void check_not_raised(ErlNifEnv* env) {
  ERL_NIF_TERM reason = 0;
  if (enif_has_pending_exception(env, &reason) && reason != atoms::told.raw()) [[unlikely]]
    detail::throw_raised_in_vm(env, reason, typeid(T));
}

/// Throws where the codec of `T` has raised in the VM, or given no term.
template <class T>
void check_encoded(ErlNifEnv* env, ERL_NIF_TERM made) {
  check_not_raised<T>(env);
  if (made == 0) [[unlikely]]
    throw_no_term(typeid(T));
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "codec_error.ipp"  // IWYU pragma: export
#endif
