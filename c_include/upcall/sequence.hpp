#pragma once

#include <erl_nif.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "codec.hpp"
#include "detail/nif/bound_nif.hpp"
#include "detail/nif/parameters.hpp"
#include "detail/stream/sequence_source.hpp"
#include "error.hpp"

namespace upcall UPCALL_HIDDEN {

/// Reads an Elixir enumerable, an infinite one, too, as a C++ input range, once. Its elements come
/// in chunks: those of a list, `ChunkSize` at once; those of any other, as many as an eighth of
/// what was read before, as half a millisecond gives, and as `ChunkSize`.
///
///     double sum(upcall::sequence<double> numbers) {            // on a fiber
///       double total = 0;
///       for (double each : numbers) total += each;
///       return total;
///     }
///     upcall::task<double> sum(upcall::sequence<double> numbers) {  // a coroutine
///       double total = 0;
///       while (auto each = co_await numbers.next()) total += *each;
///       co_return total;
///     }
///
/// One that is left early is halted, so that the enumerable cleans up: with the next upcall after
/// it was destroyed, or before the native call returns. What fails at that ends the native call: it
/// comes out of the NIF, and C++ does not see it.
///
/// Threads: the frame's own; you may be on another one after an element. Throws: `error`, where an
/// element is no `T` (those before it have come), or where the enumerable raises (those of the same
/// chunk have not come); there are no more elements then.
template <class T, std::size_t ChunkSize = 1000>
class sequence {
  static_assert(decodable<T> && !borrowing<T>,
                "the elements of an upcall::sequence are decoded a chunk at a time: T must have a "
                "codec and borrow nothing, std::string in the place of std::string_view, say");
  static_assert(
      ChunkSize > 0,
      "an upcall::sequence reads at least one element at a time: give it a ChunkSize of 1 "
      "or more");

 public:
  /// Is at an element. `++` goes to the next, and may suspend for it. Threads and Throws: see
  /// above.
  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    T& operator*() const { return m_source->current(); }
    iterator& operator++() {
      m_source->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& left, std::default_sentinel_t /*end*/) {
      return left.m_source->at_end();
    }

   private:
    friend class sequence;
    explicit iterator(detail::sequence_source<T>& source) noexcept : m_source(&source) {}
    detail::sequence_source<T>* m_source = nullptr;
  };

  /// Fetches the first element. A second `begin` goes on where the first one is. Throws: see above;
  /// `error` in a coroutine; `abandoned`.
  [[nodiscard]] iterator begin() const {
    detail::frame_for_upcall();
    source().begin();
    return iterator(source());
  }
  /// Gives what the iterator after the last element is equal to. Threads: any.
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// For a coroutine: `co_await` gives a `std::optional<T>`, the next element or nothing at the
  /// end. This object must be there until then. Throws, when awaited: see above.
  detail::async_next<T> next() const { return {&source()}; }

 private:
  friend struct codec<sequence>;
  [[nodiscard]] detail::sequence_source<T>& source() const {
    if (!m_source) raise("Elixir.RuntimeError", "this upcall::sequence was moved from");
    return *m_source;
  }

  explicit sequence(std::unique_ptr<detail::sequence_source<T>> source) noexcept
      : m_source(std::move(source)) {}

  std::unique_ptr<detail::sequence_source<T>> m_source;
};

/// Takes an enumerable for the running frame. Throws: `bad_term` for what is none; `error` outside
/// of a frame.
template <class T, std::size_t ChunkSize>
struct codec<sequence<T, ChunkSize>> {
  using own = sequence<T, ChunkSize>;
  static sequence<T, ChunkSize> decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    if (!enif_is_list(env, raw) && !enif_is_map(env, raw) && !enif_is_fun(env, raw))
      throw bad_term("an enumerable", raw);
    return sequence<T, ChunkSize>(std::make_unique<detail::sequence_source<T>>(
        detail::function_root::add(env, raw), enif_is_list(env, raw) != 0, ChunkSize));
  }
};

namespace detail {

template <class T, std::size_t ChunkSize>
inline constexpr bool needs_frame<sequence<T, ChunkSize>> = true;
template <class T, std::size_t ChunkSize>
inline constexpr bool is_handle<sequence<T, ChunkSize>> = true;

}  // namespace detail
}  // namespace UPCALL_HIDDEN
