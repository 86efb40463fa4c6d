#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <upcall/detail/fiber/fiber.hpp>
#include <upcall/detail/fiber/stack_pool.hpp>
#include <utility>

namespace upcall_test {

constexpr std::size_t stack_class = upcall::detail::stack_pool::class_of(std::size_t{256} * 1024);

/// Runs a callable on a fiber of the pool, a step at a time.
class task {
 public:
  explicit task(std::function<void(task&)> body)
      : m_body(std::move(body)),
        m_fiber(upcall::detail::stack_pool::this_thread().take(stack_class)) {}
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  ~task() { upcall::detail::stack_pool::this_thread().give(m_fiber, stack_class); }

  void start() {
    m_fiber->start([](void* self) noexcept { static_cast<task*>(self)->run(); }, this);
  }
  void resume() { m_fiber->resume(); }
  void resume_elsewhere() {
    std::thread([this] { resume(); }).join();
  }
  void suspend() { m_fiber->suspend(); }
  [[nodiscard]] bool done() const { return m_fiber->resting(); }
  [[nodiscard]] upcall::detail::fiber& fiber() const { return *m_fiber; }

 private:
  void run() noexcept { m_body(*this); }

  std::function<void(task&)> m_body;
  upcall::detail::fiber* m_fiber;
};

}  // namespace upcall_test
