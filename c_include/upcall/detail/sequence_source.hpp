#pragma once

#include <erl_nif.h>

#include <coroutine>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../codec.hpp"
#include "../error.hpp"
#include "call.hpp"
#include "chunk.hpp"
#include "coroutine_frame.hpp"
#include "function_root.hpp"
#include "library_module.hpp"
#include "printed.hpp"
#include "request_awaiter.hpp"

// How the elements of an enumerable come to C++.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where an `upcall::sequence` has its elements from: a list, which it reads as it is, or an
/// enumeration in Elixir (lib/upcall/sequence.ex), a chunk at a time.
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
  ERL_NIF_TERM request(frame& running) {
    const ERL_NIF_TERM rest = m_rest->in(running);
    const char* const function = m_state == state::not_begun ? "start" : "next";
    const ERL_NIF_TERM made = mfa_request(
        running, "Elixir.Upcall.Sequence", function,
        enif_make_list2(running.env(), rest, enif_make_uint64(running.env(), m_growth.next())));
    // An enumeration that raises has ended. To halt it would be to clean up a second time.
    end();
    m_growth.begin();
    return made;
  }

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
  ERL_NIF_TERM take_answer(frame& running, ERL_NIF_TERM answer) {
    int arity = 0;
    const ERL_NIF_TERM* parts = nullptr;
    if (!enif_get_tuple(running.env(), answer, &arity, &parts) || arity != 2) {
      end();
      return answer;
    }
    keep_rest(running, parts[1], state::begun);
    return parts[0];
  }
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

template <class T>
class sequence_source final : public sequence_base {
 public:
  using sequence_base::sequence_base;

  /// Fetches the first element, if that was not done.
  void begin() {
    if (m_position == m_chunk.size()) fill();
  }
  [[nodiscard]] bool at_end() const { return m_position == m_chunk.size(); }
  T& current() { return m_chunk[m_position].value; }
  void advance() {
    if (++m_position == m_chunk.size()) fill();
  }

  /// Makes the next elements current where that needs no upcall. False where it does.
  bool fill_here(frame& running) {
    if (m_position < m_chunk.size()) return true;
    throw_failure();
    if (current_state() == state::list) read_list(running);
    return current_state() == state::ended || m_position < m_chunk.size() || m_failure;
  }
  /// Takes the answer to a request.
  void fill_with(frame& running, ERL_NIF_TERM answer) {
    const ERL_NIF_TERM elements = take_answer(running, answer);
    decode_from(running, elements, std::numeric_limits<std::size_t>::max());
    count(m_chunk.size());
    if (m_failure) leave();  // what came after it in the chunk is not there to go on with
  }
  /// Gives the current element and leaves it.
  std::optional<T> take() {
    if (at_end()) {
      throw_failure();
      return std::nullopt;
    }
    return std::move(m_chunk[m_position++].value);
  }

 private:
  struct element {  // as a vector of `bool` has none
    T value;
  };

  /// Decodes elements of a list, `most` at most, and gives the rest of it. The first that fails is
  /// the last.
  ERL_NIF_TERM decode_from(frame& running, ERL_NIF_TERM list, std::size_t most) {
    const frame::codec_scope scope(running);
    ErlNifEnv* const env = running.env();
    ERL_NIF_TERM next = 0;
    m_before += m_chunk.size();
    m_chunk.clear();
    m_position = 0;
    try {
      while (m_chunk.size() < most && enif_get_list_cell(env, list, &next, &list))
        m_chunk.push_back({decode<T>(env, next)});
    } catch (const bad_term& failure) {
      fail(failure);
    }
    return list;
  }

  void fill() {
    frame& running = frame_for_upcall();
    if (!fill_here(running)) fill_with(running, running.suspend(request(running)));
    if (at_end()) throw_failure();
  }

  /// Throws what is in the place of the next element, once.
  void throw_failure() {
    if (m_failure) throw *std::exchange(m_failure, std::nullopt);
  }

  void read_list(frame& running) {
    const ERL_NIF_TERM left = decode_from(running, rest(running), most());
    if (m_failure || enif_is_empty_list(running.env(), left)) return end();
    if (m_chunk.size() < most()) {
      fail(bad_term("a proper list", left));
      return end();
    }
    keep_rest(running, left, state::list);
  }

  /// Keeps for its turn that an element is none.
  void fail(const bad_term& failure) {
    try {
      const nif_identity nif = running_frame().nif();
      raise("Elixir.ArgumentError",
            printed_module(library_module) + "." + nif.name + "/" + std::to_string(nif.arity) +
                ": element " + std::to_string(m_before + m_chunk.size() + 1) +
                " of an enumerable: " + failure.where() + "expected " + failure.expected() +
                ", got: " + printed(failure.got().raw()));
    } catch (const error& made) {
      m_failure = made;
    }
  }

  std::vector<element> m_chunk;
  std::size_t m_position = 0;
  std::size_t m_before = 0;        // elements of earlier chunks
  std::optional<error> m_failure;  // in the place of the element after the chunk
};

/// A fetch that has not begun.
template <class T>
struct async_next {
  sequence_source<T>* source;
};

/// Fetches an element.
template <class T>
class next_awaiter final : public request_awaiter {
 public:
  next_awaiter(coroutine_promise& by, sequence_source<T>& source) noexcept
      : request_awaiter(by), m_source(source) {}

  bool await_ready() {
    running().check_may_await();
    if (m_source.fill_here(running())) return true;
    running().set_request(m_source.request(running()));
    m_was_suspended = true;
    return false;
  }
  std::optional<T> await_resume() {
    if (m_was_suspended) m_source.fill_with(running(), running().take_awaited());
    return m_source.take();
  }

 private:
  sequence_source<T>& m_source;
  bool m_was_suspended = false;
};

template <class T>
next_awaiter<T> make_awaiter(coroutine_promise& by, const async_next<T>& awaited) noexcept {
  return {by, *awaited.source};
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
