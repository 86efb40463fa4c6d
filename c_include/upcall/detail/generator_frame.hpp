#pragma once

#include <erl_nif.h>

#include <exception>

#include "../generator.hpp"
#include "chunk.hpp"
#include "coroutine_nif.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A native call whose body is an `upcall::generator<T>`.
template <class T>
class generator_frame final : public coroutine_nif<generator<T>> {
 public:
  generator_frame(step& first, nif_identity nif, thread_frames& here,
                  const ERL_NIF_TERM* arguments) noexcept
      : coroutine_nif<generator<T>>(first, nif, here, arguments), m_values(nif.chunk_size) {
    this->yielded = &m_values;
  }

 private:
  void begin_body() override { this->set_request(generate_request(*this)); }

  void end_body() noexcept override {
    if (this->promise().failure && !m_values.empty() && hand_out_last()) return;
    this->end_with([this] {
      if (this->promise().failure) std::rethrow_exception(this->promise().failure);
      return m_values.take(*this);
    });
  }
  /// Gives what was yielded before the failure. The next step comes back to the end.
  bool hand_out_last() noexcept {
    try {
      this->set_request(chunk_request(*this));
      return true;
    } catch (...) {
      this->promise().failure = std::current_exception();
      return false;
    }
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
