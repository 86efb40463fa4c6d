#pragma once

#include <erl_nif.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "../../error.hpp"
#include "../base/config.hpp"
#include "../call/patience.hpp"
#include "../call/roots.hpp"

// The parts of a frame: what it waits for, what its next request has to tell, and what C callbacks
// have caught.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// One step of a frame: from a start or a resume to the next suspension or the end. Lives on the
/// stack of the thread that runs it.
struct step {
  ErlNifEnv* env = nullptr;  ///< null for the steps of an abandoned frame
  ERL_NIF_TERM reply = 0;    ///< what the NIF returns
};

/// The mark by which Elixir's answer to the pending request is known.
class request_token {
 public:
  /// Makes one that no other step has.
  ERL_NIF_TERM make(ErlNifEnv* env, std::uint64_t call, std::uint32_t step) noexcept {
    // A small integer, and so a word. No other frame makes it: handles are used again.
    constexpr int step_bits = 20;
    constexpr std::uint64_t small = (std::uint64_t{1} << 59) - 1;
    m_raw = enif_make_uint64(
        env, ((call << step_bits) | (step & ((std::uint64_t{1} << step_bits) - 1))) & small);
    m_is_float = false;
    return m_raw;
  }
  /// Makes `raw`, a request that begins with the number `value`, known by that: an answer fits what
  /// was asked. False where it can't be: a large integer can be moved, and is dear to compare.
  template <class T>
  bool take(ERL_NIF_TERM raw, T value) noexcept {
    constexpr auto small = std::int64_t{1} << 59;
    if constexpr (std::floating_point<T>) {
      m_float = static_cast<double>(value);
    } else if constexpr (sizeof(T) == sizeof(small)) {
      if (std::cmp_less(value, -small) || std::cmp_greater_equal(value, small)) return false;
    }
    m_is_float = std::floating_point<T>;
    m_raw = raw;
    return true;
  }

  /// Whether that is the mark. Small integers that are equal are the same word, and so is a float
  /// that was not moved.
  [[nodiscard]] UPCALL_ALWAYS_INLINE bool is(ErlNifEnv* env, ERL_NIF_TERM token) const noexcept {
    return token == m_raw || is_same_float(env, token);
  }
  [[nodiscard]] ERL_NIF_TERM raw() const noexcept { return m_raw; }

 private:
  UPCALL_NOINLINE bool is_same_float(ErlNifEnv* env, ERL_NIF_TERM token) const noexcept {
    double value = 0;
    return m_is_float && enif_get_double(env, token, &value) && value == m_float;
  }

  ERL_NIF_TERM m_raw = 0;
  double m_float = 0;  // what `m_raw` is where that is a float
  bool m_is_float = false;
};

/// What the next request, or the result, has to tell beside what it asks.
struct frame_due {
  static constexpr std::uint32_t no_function = UINT32_MAX;

  roots kept;                            ///< the terms that Elixir keeps
  std::uint32_t selected = no_function;  ///< the root that the trampoline calls
  bool has_news = false;                 ///< of the two, or of what is to be halted
  bool env_was_shown = false;            ///< to code of the user's, which may raise in it
  std::vector<root_handle> to_halt;      ///< enumerations that native code does not go on with
  ERL_NIF_TERM result = 0;               ///< of the body, while what it leaves behind is destroyed
  root_handle kept_result;
  std::shared_ptr<error_content> borrowing_error;  ///< that this step has thrown for its outcome
};

/// Holds what is due. All changes go through one door, which sees to it that the next request tells
/// them; one that has nothing to tell is made without a look at the parts.
class due_parts {
 public:
  const frame_due* operator->() const noexcept { return &m_parts; }
  frame_due& change() noexcept {
    m_is_told = false;
    return m_parts;
  }
  /// For what Elixir has told, and so knows.
  frame_due& learn() noexcept { return m_parts; }

  [[nodiscard]] bool is_told() const noexcept { return m_is_told; }
  void set_told() noexcept { m_is_told = true; }

 private:
  frame_due m_parts;
  bool m_is_told = false;
};

/// What C callbacks have caught, until C has returned, and how long C is borne with.
class c_failures {
 public:
  /// Where a callback leaves what it has caught.
  [[nodiscard]] std::exception_ptr*& place() noexcept { return m_place; }
  /// Throws what was caught outside of a call into C.
  void rethrow_unscoped() {
    if (m_unscoped) std::rethrow_exception(std::exchange(m_unscoped, nullptr));
  }
  void forget_unscoped() noexcept { m_unscoped = nullptr; }

  /// Begins to bear with C, which was told of a failure.
  void note() noexcept { m_patience.restart(); }
  /// Whether C has asked on for too long.
  bool is_too_much(std::uint32_t step) noexcept { return m_patience.ends(step); }

 private:
  std::exception_ptr m_unscoped;
  std::exception_ptr* m_place = &m_unscoped;
  patience m_patience;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
