#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "../frame/frame.hpp"
#include "../function/function_root.hpp"
#include "chunk.hpp"

// How the elements of an enumerable come to C++.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where an `upcall::sequence` has its elements from: a list, which it reads as it is, or an
/// enumeration in Elixir (lib/upcall/native/sequence.ex), a chunk at a time.
class sequence_base {
 public:
  sequence_base(function_root enumerable, bool is_list, std::size_t most) noexcept
      : m_rest(std::move(enumerable)),
        m_state(is_list ? state::list : state::not_begun),
        m_most(most),
        m_growth(most) {}
  sequence_base(const sequence_base&) = delete;
  sequence_base& operator=(const sequence_base&) = delete;

  /// Makes the request for the next chunk, where the elements are not there.
  ERL_NIF_TERM request(frame& running);

 protected:
  enum class state { list, not_begun, begun, ended };

  // Early, also by an exception.
  ~sequence_base() { leave(); }

  /// Reads no more: an enumeration that has begun is to be ended.
  void leave() {
    if (m_state == state::begun && m_rest) m_rest->halt_later();
    end();
  }

  [[nodiscard]] state current_state() const noexcept { return m_state; }
  [[nodiscard]] std::size_t most() const noexcept { return m_most; }

  /// Reads the answer to a request and gives its list of elements.
  ERL_NIF_TERM take_answer(frame& running, ERL_NIF_TERM answer);
  void keep_rest(frame& running, ERL_NIF_TERM rest, state next) {
    m_rest.emplace(function_root::add(running.env(), rest));
    m_state = next;
  }
  void end() noexcept {
    m_rest.reset();
    m_state = state::ended;
  }
  [[nodiscard]] ERL_NIF_TERM rest(const frame& running) const { return m_rest->in(running); }
  void count(std::size_t elements) noexcept { m_growth.add(elements); }

 private:
  std::optional<function_root> m_rest;  // the enumerable, then what goes on with it
  state m_state;
  std::size_t m_most;
  chunk_growth m_growth;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "sequence_base.ipp"  // IWYU pragma: export
#endif
