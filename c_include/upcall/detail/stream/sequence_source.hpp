#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../../codec.hpp"
#include "../../error.hpp"
#include "../base/never.hpp"
#include "../coroutine/request_awaiter.hpp"
#include "../coroutine/task_promise.hpp"
#include "../frame/frame.hpp"
#include "../function/function_root.hpp"
#include "../term/codec_error.hpp"
#include "../term/term_text.hpp"
#include "sequence_base.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Where an `upcall::sequence` of `T` has its elements from, with those that are here already.
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
    return current_state() == state::ended || m_position < m_chunk.size() || m_failure != nullptr;
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
        m_chunk.push_back({upcall::decode<T>(env, next)});
    } catch (const bad_term& failure) {
      fail(failure);
    } catch (codec_error& failure) {
      failure.within(place_of_failure());
      m_failure = std::current_exception();
    } catch (...) {
      m_failure = std::current_exception();
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
    if (m_failure) std::rethrow_exception(std::exchange(m_failure, nullptr));
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

  [[nodiscard]] std::string place_of_failure() const {
    return "element " + std::to_string(m_before + m_chunk.size() + 1) + " of an enumerable";
  }

  /// Keeps for its turn that an element is none.
  void fail(const bad_term& failure) {
    try {
      raise("Elixir.ArgumentError", name_of(running_frame().nif()) + ": " + place_of_failure() +
                                        ": " + failure.where() + "expected " + failure.expected() +
                                        ", got: " + printed(failure.got().raw()));
    } catch (const error&) {
      m_failure = std::current_exception();
    }
  }

  std::vector<element> m_chunk;
  std::size_t m_position = 0;
  std::size_t m_before = 0;      // elements of earlier chunks
  std::exception_ptr m_failure;  // in the place of the element after the chunk
};

/// A fetch that has not begun.
template <class T>
struct [[nodiscard("nothing is fetched before it is awaited: co_await it")]] async_next {
  sequence_source<T>* source;

  operator std::optional<T>() const {  // NOLINT(google-explicit-constructor)
    static_assert(never<T>, "nothing is fetched before it is awaited: co_await numbers.next()");
  }
  explicit operator bool() const {
    static_assert(never<T>, "nothing is fetched before it is awaited: co_await numbers.next()");
    return false;
  }
};

/// Fetches an element.
template <class T>
struct next_operation {
  sequence_source<T>& source;

  bool begin(frame& running) const {
    running.check_may_await();
    if (source.fill_here(running)) return false;
    running.set_request(source.request(running));
    return true;
  }
  std::optional<T> end(frame& running, ERL_NIF_TERM answer) const {
    if (answer != 0) source.fill_with(running, answer);
    return source.take();
  }
};

template <class T>
struct awaiter_of<async_next<T>> {
  static auto make(coroutine_promise& by, const async_next<T>& awaited) {
    return operation_awaiter<next_operation<T>>(by, *awaited.source);
  }
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
