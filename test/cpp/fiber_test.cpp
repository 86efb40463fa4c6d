#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall/detail/fiber/fiber.hpp>
#include <upcall/detail/fiber/stack_memory.hpp>
#include <upcall/detail/fiber/stack_pool.hpp>
#include <vector>

#include "fiber_task.hpp"

namespace {

using upcall_test::task;

std::string caught_text() {
  const std::exception_ptr caught = std::current_exception();
  if (!caught) return "none";
  try {
    std::rethrow_exception(caught);
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

TEST(Fiber, RunsItsJobInSteps) {
  std::vector<std::string> seen;
  task steps([&](task& self) {
    seen.emplace_back("first");
    self.suspend();
    seen.emplace_back("second");
    self.suspend();
    seen.emplace_back("third");
  });

  steps.start();
  seen.emplace_back("between");
  EXPECT_FALSE(steps.done());
  steps.resume();
  steps.resume();

  EXPECT_TRUE(steps.done());
  EXPECT_EQ(seen, (std::vector<std::string>{"first", "between", "second", "third"}));
}

TEST(Fiber, RunsOnItsOwnStack) {
  const std::byte* inside = nullptr;
  task look([&](task&) { inside = static_cast<std::byte*>(__builtin_frame_address(0)); });
  look.start();

  EXPECT_GE(inside, look.fiber().stack());
  EXPECT_LT(inside, look.fiber().stack() + look.fiber().size());
}

TEST(Fiber, RunsOneJobAfterAnother) {
  int jobs = 0;
  task many([&](task& self) {
    ++jobs;
    if (jobs % 2 == 0) self.suspend();
  });

  for (int i = 0; i < 10'000; ++i) {
    many.start();
    if (!many.done()) many.resume();
    ASSERT_TRUE(many.done());
  }
  EXPECT_EQ(jobs, 10'000);
}

TEST(Fiber, GoesOnOnOtherThreads) {
  // Not std::thread::id: the compiler takes pthread_self() to be the same at every call.
  std::vector<pid_t> threads;
  int on_the_stack = 0;
  task moving([&](task& self) {
    int steps = 0;
    for (; steps < 20; ++steps) {
      threads.push_back(::gettid());
      self.suspend();
    }
    on_the_stack = steps;
  });

  moving.start();
  while (!moving.done()) moving.resume_elsewhere();

  ASSERT_EQ(threads.size(), 20U);
  EXPECT_EQ(threads.front(), ::gettid());
  for (std::size_t i = 1; i < threads.size(); ++i) EXPECT_NE(threads[i], threads.front());
  EXPECT_EQ(on_the_stack, 20);
}

TEST(Fiber, KeepsWhatItCaughtOnOtherThreads) {
  std::string before;
  std::string after;
  std::string rethrown;
  task catching([&](task& self) {
    try {
      try {
        throw std::runtime_error("of the fiber");
      } catch (const std::runtime_error&) {
        before = caught_text();
        self.suspend();
        after = caught_text();
        throw;
      }
    } catch (const std::runtime_error& failure) {
      rethrown = failure.what();
    }
  });

  catching.start();
  EXPECT_EQ(caught_text(), "none");
  std::thread([&] {
    try {
      throw std::logic_error("of the thread");
    } catch (const std::logic_error&) {
      catching.resume();
      EXPECT_EQ(caught_text(), "of the thread");
    }
    EXPECT_EQ(caught_text(), "none");
  }).join();

  EXPECT_TRUE(catching.done());
  EXPECT_EQ(before, "of the fiber");
  EXPECT_EQ(after, "of the fiber");
  EXPECT_EQ(rethrown, "of the fiber");
  EXPECT_EQ(caught_text(), "none");
}

TEST(Fiber, KeepsNestedCatchBlocksApart) {
  const auto nested = [](const std::string& name, std::vector<std::string>& seen) {
    return [name, &seen](task& self) {
      try {
        throw std::runtime_error(name + " outer");
      } catch (const std::runtime_error& outer) {
        self.suspend();
        try {
          throw std::runtime_error(name + " inner");
        } catch (const std::runtime_error& inner) {
          self.suspend();
          seen.push_back(caught_text());
          seen.emplace_back(inner.what());
        }
        self.suspend();
        seen.push_back(caught_text());
        seen.emplace_back(outer.what());
      }
      seen.push_back(caught_text());
    };
  };
  std::vector<std::string> of_a;
  std::vector<std::string> of_b;
  task a(nested("a", of_a));
  task b(nested("b", of_b));

  a.start();
  b.start();
  while (!a.done()) {
    a.resume_elsewhere();
    b.resume();
  }

  EXPECT_TRUE(b.done());
  EXPECT_EQ(of_a, (std::vector<std::string>{"a inner", "a inner", "a outer", "a outer", "none"}));
  EXPECT_EQ(of_b, (std::vector<std::string>{"b inner", "b inner", "b outer", "b outer", "none"}));
}

TEST(Fiber, CountsUncaughtExceptionsOnItsOwn) {
  int before = -1;
  int after = -1;
  struct suspends_at_end {
    ~suspends_at_end() {
      before = std::uncaught_exceptions();
      self.suspend();
      after = std::uncaught_exceptions();
    }
    task& self;
    int& before;
    int& after;
  };
  bool caught = false;
  task unwinding([&](task& self) {
    try {
      const suspends_at_end last{self, before, after};
      throw std::runtime_error("unwinds");
    } catch (const std::runtime_error&) {
      caught = true;
    }
  });

  unwinding.start();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  unwinding.resume_elsewhere();

  EXPECT_TRUE(caught);
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 1);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST(Fiber, MayRunOthersFromWithin) {
  std::string seen;
  task outer([&](task& self) {
    try {
      throw std::runtime_error("outer");
    } catch (const std::runtime_error&) {
      task inner([&](task& within) {
        seen += caught_text() + ",";
        try {
          throw std::runtime_error("inner");
        } catch (const std::runtime_error&) {
          within.suspend();
          seen += caught_text() + ",";
        }
      });
      inner.start();
      seen += caught_text() + ",";
      self.suspend();
      inner.resume();
      seen += caught_text();
    }
  });

  outer.start();
  outer.resume_elsewhere();
  EXPECT_EQ(seen, "none,outer,inner,outer");
}

// What the VM does: any free thread goes on with any fiber.
TEST(Fiber, ManyMoveBetweenManyThreads) {
  constexpr int fibers = 64;
  constexpr int rounds = 50;
  std::mutex mutex;
  std::deque<task*> ready;
  std::atomic<int> right{0};
  std::atomic<int> left{fibers};

  std::vector<std::unique_ptr<task>> tasks;
  for (int i = 0; i < fibers; ++i) {
    tasks.push_back(std::make_unique<task>([&, i](task& self) {
      const std::string name = "fiber " + std::to_string(i);
      for (int round = 0; round < rounds; ++round) {
        try {
          throw std::runtime_error(name);
        } catch (const std::runtime_error& failure) {
          self.suspend();
          if (caught_text() == name && failure.what() == name) ++right;
        }
        self.suspend();
      }
    }));
    tasks.back()->start();
    ready.push_back(tasks.back().get());
  }

  const auto work = [&] {
    while (left > 0) {
      task* next = nullptr;
      {
        const std::lock_guard lock(mutex);
        if (ready.empty()) continue;
        next = ready.front();
        ready.pop_front();
      }
      next->resume();
      if (next->done()) {
        --left;
      } else {
        const std::lock_guard lock(mutex);
        ready.push_back(next);
      }
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& each : threads) each.join();

  EXPECT_EQ(right, fibers * rounds);
}

}  // namespace
