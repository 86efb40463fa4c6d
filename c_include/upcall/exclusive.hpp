#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "detail/exclusive/exclusive_base.hpp"

namespace upcall UPCALL_HIDDEN {

namespace detail {

/// A wait for an object that has not begun.
template <class Exclusive>
struct [[nodiscard("the object is not taken before it is awaited: co_await it")]] async_lock {
  Exclusive* wanted;
};
template <class Exclusive>
class lock_operation;

}  // namespace detail

/// Holds a native object that one native call at a time may use, from `lock` until what `lock` gave
/// is destroyed, upcalls and abandonment in between included. (A mutex can't do that: a suspended
/// call goes on on another thread.) Calls that a function of the same call makes in the same
/// process may use it meanwhile; all others wait their turn, in order, without holding a scheduler:
/// frames suspended, pinned NIFs on their threads.
///
///     struct connection { … };
///     int changes(upcall::resource<upcall::exclusive<connection>> shared) {
///       auto connection = shared->lock();
///       return connection->changes();
///     }
///
/// Two calls that lock two of these in different orders wait for each other, as with mutexes.
///
/// Threads: any may share it; see each function.
template <class T>
class exclusive {
 public:
  /// Makes the object. Throws: what its constructor throws.
  template <class... Args>
  explicit exclusive(Args&&... args) : m_object(std::forward<Args>(args)...) {}
  exclusive(const exclusive&) = delete;
  exclusive& operator=(const exclusive&) = delete;
  ~exclusive() = default;

  /// The right to use the object; belongs to the native call that took it. Destroyed in that call
  /// it gives the object up. Moved elsewhere and destroyed there it does nothing: the call's end
  /// does.
  class access {
   public:
    access(access&& other) noexcept : m_hold(std::move(other.m_hold)), m_object(other.m_object) {}
    access(const access&) = delete;
    access& operator=(const access&) = delete;
    access& operator=(access&&) = delete;
    ~access() = default;

    /// Gives the object.
    T& operator*() const noexcept { return *m_object; }
    T* operator->() const noexcept { return m_object; }

   private:
    friend class exclusive;
    friend class detail::lock_operation<exclusive>;
    access(detail::hold taken, T& object) noexcept : m_hold(std::move(taken)), m_object(&object) {}

    detail::hold m_hold;
    T* m_object;
  };

  /// Waits for its turn and takes the object.
  /// Threads: the frame's own, and you may be on another thread afterwards; that of a pinned body,
  /// which it blocks. In a coroutine it throws: `co_await` what `async_lock` gives.
  /// Throws: `abandoned`; `error` outside of both, or when a call that was parked has the object.
  access lock() { return access(m_base->lock(), m_object); }

  /// Waits and takes the object, in a coroutine: `auto access = co_await shared->async_lock()`.
  /// This object must be there until then. Threads: the frame's own. Throws, when awaited: `error`
  /// when a call that was parked has the object.
  detail::async_lock<exclusive> async_lock() noexcept { return {this}; }

  /// Takes the object, or gives nothing when another call has it. Threads: as `lock`, and in a
  /// coroutine. Throws: as `lock`.
  std::optional<access> try_lock() {
    std::optional<detail::hold> taken = m_base->try_lock();
    if (!taken) return std::nullopt;
    return access(*std::move(taken), m_object);
  }

 private:
  friend class detail::lock_operation<exclusive>;

  // Shared with the calls that have it: they give it up even after it is gone.
  std::shared_ptr<detail::exclusive_base> m_base = std::make_shared<detail::exclusive_base>();
  T m_object;
};

}  // namespace UPCALL_HIDDEN
