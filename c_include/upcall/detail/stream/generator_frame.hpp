#pragma once

#include <erl_nif.h>

#include <exception>

#include "../../generator.hpp"
#include "../coroutine/coroutine_nif.hpp"
#include "chunk.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A native call whose body is an `upcall::generator<T>`.
template <class T>
class generator_frame final : public coroutine_nif<generator<T>> {
 public:
  generator_frame(step& first, nif_identity nif, thread_calls& here,
                  const ERL_NIF_TERM* arguments) noexcept
      : coroutine_nif<generator<T>>(first, nif, here, arguments), m_values(nif.chunk_size) {
    this->yielded = &m_values;
  }

 private:
  void begin_body() override {
    this->set_request(detail::generate_request(*this, this->arguments()));
  }

  // Values that were yielded before a failure reach Elixir before it: the frame is suspended once
  // more, and the next step comes back here.
  void end_body() noexcept override {
    std::exception_ptr& failure = this->promise().failure;
    ERL_NIF_TERM last = 0;
    do {
      try {
        if (!failure) {
          last = m_values.take(*this);
        } else if (!m_values.empty()) {
          return this->set_request(detail::chunk_request(*this));
        }
        break;
      } catch (...) {  // a value before it has no term, and so failed first
        failure = std::current_exception();
      }
    } while (true);
    this->end_with([this, last] {
      if (this->promise().failure) std::rethrow_exception(this->promise().failure);
      return last;
    });
  }
  void destroy() noexcept override { delete this; }

  chunk<T> m_values;
};

template <class T>
struct coroutine_nif_of<generator<T>> {
  using type = generator_frame<T>;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
