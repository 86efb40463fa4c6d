#pragma once

#include <type_traits>

#include "detail/coroutine/coroutine_nif.hpp"
#include "detail/stream/generator_promise.hpp"

namespace upcall UPCALL_HIDDEN {

/// The return type of a NIF that is a lazy enumerable in Elixir: a coroutine that yields values.
///
///     upcall::generator<std::int64_t> squares(std::int64_t from) {
///       for (std::int64_t i = from;; ++i) co_yield i * i;
///     }
///     UPCALL_NIF(squares, upcall::chunk_size{100});
///
/// `Enum.take(Native.squares(3), 10)` computes ten. The body begins when somebody enumerates, once
/// for each enumeration, in that process; it can `co_await` what an `upcall::task` can. Where
/// nobody wants more, it is destroyed where it is suspended, with what it holds. `Upcall.Generator`
/// says how values travel.
///
/// Threads: as an `upcall::task`, also after a `co_yield`. Throws, at a `co_yield`: what the codec
/// of `T` throws, for the first value of the chunk that has no term.
template <class T>
class [[nodiscard]] generator {
  static_assert(std::is_same_v<T, std::remove_cvref_t<T>>,
                "a generator yields values: take T without const and reference");

 public:
  using promise_type = detail::generator_promise<T>;

  generator(generator&&) noexcept = default;
  generator(const generator&) = delete;
  generator& operator=(const generator&) = delete;
  generator& operator=(generator&&) = delete;
  ~generator() = default;

 private:
  friend promise_type;
  template <class Body>
  friend class detail::coroutine_nif;
  explicit generator(promise_type& promise) noexcept : m_owner(&promise), m_promise(&promise) {}

  detail::coroutine_owner m_owner;
  promise_type* m_promise;
};

template <class T>
generator<T> detail::generator_promise<T>::get_return_object() noexcept {
  return generator<T>(*this);
}

}  // namespace UPCALL_HIDDEN

#include "detail/stream/generator_frame.hpp"  // IWYU pragma: export
