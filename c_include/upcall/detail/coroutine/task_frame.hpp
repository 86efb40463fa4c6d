#pragma once

#include <erl_nif.h>

#include <type_traits>

#include "../../task.hpp"
#include "../term/parts.hpp"
#include "coroutine_nif.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A native call whose body is an `upcall::task<R>`.
template <class R>
class task_frame final : public coroutine_nif<task<R>> {
 public:
  task_frame(step& first, nif_identity nif, thread_calls& here,
             const ERL_NIF_TERM* arguments) noexcept
      : coroutine_nif<task<R>>(first, nif, here, arguments) {}

 private:
  void begin_body() override { this->run_body(); }

  void end_body() noexcept override {
    this->end_with([this] {
      if constexpr (std::is_void_v<R>) {
        this->promise().take();
        return atoms::ok.raw();
      } else {
        const R value = this->promise().take();
        const frame::codec_scope scope(*this);
        return detail::encode_result<R>(this->env(), value);
      }
    });
  }
  void destroy() noexcept override { delete this; }
};

template <class R>
struct coroutine_nif_of<task<R>> {
  using type = task_frame<R>;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
