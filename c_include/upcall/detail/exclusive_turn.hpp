#pragma once

#include <erl_nif.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "../term.hpp"
#include "config.hpp"
#include "native_call.hpp"
#include "waitable.hpp"

// What a native call has of an exclusive object: a hold, or a turn to come.

namespace upcall UPCALL_HIDDEN {
namespace detail {

class exclusive_base;

/// One right to an exclusive object, given up when it is destroyed in its call, or with that.
class hold {
 public:
  hold(std::shared_ptr<exclusive_base> taken, native_call& by) noexcept
      : m_taken(std::move(taken)), m_number(by.number()) {}
  hold(hold&& other) noexcept = default;
  hold(const hold&) = delete;
  hold& operator=(const hold&) = delete;
  hold& operator=(hold&&) = delete;
  ~hold();

 private:
  // A hold that was moved elsewhere may outlive its call, and the object.
  std::shared_ptr<exclusive_base> m_taken;
  std::uint64_t m_number;
};

/// A native call that waits for its turn. Lives on that call's stack, and leaves the queue with it.
class turn final : public waitable {
 public:
  turn(exclusive_base& wanted, native_call& by) noexcept : exclusive(&wanted), waiter(&by) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() { leave(); }

  bool await(ErlNifEnv* env, ERL_NIF_TERM reference) override;
  bool withdraw() noexcept override;
  void leave() noexcept override;
  void sleep(clock::time_point until) noexcept override;
  void interrupt(ErlNifEnv* env) noexcept override;

  exclusive_base* exclusive;
  native_call* waiter;
  bool granted = false;
  bool taken = false;
  bool interrupted = false;
  std::condition_variable wake;  ///< of a pinned call
  ErlNifPid process{};
  std::optional<owned_term> message;  ///< of a frame, once its process is ready to receive it
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
