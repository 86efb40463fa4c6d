#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <random>
#include <set>
#include <thread>
#include <upcall/detail/fiber/fiber.hpp>
#include <upcall/detail/fiber/stack_memory.hpp>
#include <upcall/detail/fiber/stack_pool.hpp>
#include <vector>

namespace {

using upcall::detail::fiber;
using upcall::detail::guard_pages;
using upcall::detail::stack_pool;
using upcall::detail::stacks;

constexpr std::size_t kilobyte = 1024;
constexpr std::size_t megabyte = 1024 * kilobyte;

#if defined(UPCALL_TSAN) || defined(UPCALL_ASAN)
constexpr int many_rounds = 50'000;
#else
constexpr int many_rounds = 1'000'000;
#endif

TEST(StackPoolClasses, HaveAtLeastWhatIsAskedFor) {
  EXPECT_EQ(stack_pool::class_of(0), 0U);
  EXPECT_EQ(stack_pool::class_of(1), 0U);
  EXPECT_EQ(stack_pool::class_of(64 * kilobyte), 0U);
  EXPECT_EQ(stack_pool::class_of(64 * kilobyte + 1), 1U);
  EXPECT_EQ(stack_pool::class_of(128 * kilobyte), 1U);
  EXPECT_EQ(stack_pool::class_of(256 * kilobyte), 2U);
  EXPECT_EQ(stack_pool::class_of(256 * kilobyte + 1), 3U);
  EXPECT_EQ(stack_pool::class_of(32 * megabyte + 1), 10U);
  EXPECT_EQ(stack_pool::class_of(64 * megabyte), 10U);

  for (std::size_t size = 1; size <= 64 * megabyte; size += size / 7 + 1) {
    const std::size_t given = stack_pool::size_of(stack_pool::class_of(size));
    EXPECT_GE(given, size);
    EXPECT_TRUE(given < 2 * size || given == stack_pool::smallest) << size;
  }
}

TEST(StackPoolClasses, GoNoFurtherThanTheLargest) {
  EXPECT_EQ(stack_pool::class_of(64 * megabyte + 1), stack_pool::classes - 1);
  EXPECT_EQ(stack_pool::class_of(SIZE_MAX), stack_pool::classes - 1);
}

class StackPool : public ::testing::Test {
 protected:
  // The pool is one for the whole program: what rests there from other tests stays out of it.
  void SetUp() override {
    stacks->memory().configure(guard_pages::automatic, std::max<std::size_t>(1, mapped()));
    while (pool().take(0) != nullptr) {
    }
  }
  void TearDown() override { stacks->memory().configure(guard_pages::automatic, 0); }

  static stack_pool::thread& pool() { return stack_pool::this_thread(); }
  static std::size_t mapped() { return stacks->memory().mapped(); }
  static void allow(std::size_t more) {
    stacks->memory().configure(guard_pages::automatic, mapped() + more);
  }

  static std::vector<fiber*> take(std::size_t count, std::size_t stack_class = 0) {
    std::vector<fiber*> taken;
    for (std::size_t i = 0; i < count; ++i) {
      fiber* const each = pool().take(stack_class);
      if (each == nullptr) break;
      taken.push_back(each);
    }
    return taken;
  }
  static void give(const std::vector<fiber*>& taken, std::size_t stack_class = 0) {
    for (fiber* const each : taken) pool().give(each, stack_class);
  }

  static bool has_memory(const fiber* top) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto address = reinterpret_cast<std::uintptr_t>(top);
    unsigned char resident = 0;
    // NOLINTNEXTLINE(*-no-int-to-ptr)
    ::mincore(reinterpret_cast<void*>(address - address % page), page, &resident);
    return (resident & 1U) != 0;
  }
};

TEST_F(StackPool, GivesTheSizeOfTheClass) {
  allow(stack_pool::classes);
  for (std::size_t of = 0; of < stack_pool::classes; ++of) {
    fiber* const taken = pool().take(of);
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(taken->size(), stack_pool::size_of(of));
    pool().give(taken, of);
  }
}

TEST_F(StackPool, UsesAgainWhatRestsNewestFirst) {
  allow(2);
  const std::vector<fiber*> taken = take(2);
  give(taken);
  EXPECT_EQ(pool().take(0), taken[1]);
  EXPECT_EQ(pool().take(0), taken[0]);
  give(taken);
}

TEST_F(StackPool, KeepsClassesApart) {
  allow(2);
  fiber* const small = pool().take(0);
  pool().give(small, 0);
  fiber* const large = pool().take(1);
  EXPECT_NE(large, small);
  pool().give(large, 1);
  EXPECT_EQ(pool().take(0), small);
}

TEST_F(StackPool, KeepsFewStacksWarm) {
  constexpr std::size_t many = 1'500;
  allow(many);
  const std::vector<fiber*> taken = take(many);
  ASSERT_EQ(taken.size(), many);
  EXPECT_EQ(std::count_if(taken.begin(), taken.end(), has_memory), many);
  give(taken);

  const auto warm = static_cast<std::size_t>(std::count_if(taken.begin(), taken.end(), has_memory));
  EXPECT_EQ(warm, stack_pool::most_per_thread + stack_pool::most_shared);

  // The cold ones work again, at the places where they were.
  const std::size_t before = mapped();
  const std::vector<fiber*> again = take(many);
  EXPECT_EQ(mapped(), before);
  EXPECT_EQ(std::set<fiber*>(again.begin(), again.end()),
            std::set<fiber*>(taken.begin(), taken.end()));
  int runs = 0;
  for (fiber* const each : again) {
    each->start([](void* count) noexcept { ++*static_cast<int*>(count); }, &runs);
  }
  EXPECT_EQ(runs, static_cast<int>(many));
  give(again);
}

TEST_F(StackPool, GivesNoneBeyondTheCap) {
  allow(3);
  const std::vector<fiber*> taken = take(10);
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_EQ(pool().take(0), nullptr);
  EXPECT_EQ(pool().take(1), nullptr);

  pool().give(taken[0], 0);
  EXPECT_EQ(pool().take(0), taken[0]);
  EXPECT_EQ(pool().take(0), nullptr);
  give(taken);
}

TEST_F(StackPool, FindsAtTheCapWhatRestsOnOtherThreads) {
  allow(6);
  std::thread([] { give(take(3)); }).join();
  std::atomic<bool> resting{false};
  std::atomic<bool> found{false};
  std::thread waiting([&] {
    give(take(3));
    resting = true;
    while (!found) std::this_thread::yield();
  });
  while (!resting) std::this_thread::yield();

  const std::vector<fiber*> taken = take(10);
  found = true;
  waiting.join();
  EXPECT_EQ(taken.size(), 6U);
  give(taken);
}

TEST_F(StackPool, MakesRoomAtTheCapForAnotherClass) {
  constexpr std::size_t count = 5;
  allow(count);
  const std::size_t most = mapped() + count;
  std::set<fiber*> small;
  std::set<fiber*> large;

  for (int round = 0; round < 50; ++round) {
    const std::vector<fiber*> of_small = take(count + 1, 0);
    EXPECT_EQ(of_small.size(), count);
    small.insert(of_small.begin(), of_small.end());
    give(of_small, 0);

    const std::vector<fiber*> of_large = take(count + 1, 4);
    EXPECT_EQ(of_large.size(), count);
    large.insert(of_large.begin(), of_large.end());
    for (fiber* const each : of_large) each->stack()[0] = std::byte{1};
    give(of_large, 4);
    EXPECT_LE(mapped(), most);
  }

  // Address space is not used up by it.
  EXPECT_EQ(small.size(), count);
  EXPECT_EQ(large.size(), count);
}

TEST_F(StackPool, MakesRoomWithStacksThatAreCold) {
  constexpr std::size_t many = stack_pool::most_per_thread + stack_pool::most_shared + 10;
  allow(many);
  give(take(many));
  const std::vector<fiber*> others = take(many + 1, 1);
  EXPECT_EQ(others.size(), many);
  give(others, 1);
}

// The race: stacks go from thread to thread while one of them looks for the last.
TEST_F(StackPool, HasOneForEachThreadThatTheCapAllows) {
  constexpr std::size_t threads = 6;
  allow(threads);
  std::array<stack_pool::thread*, threads> places{};
  std::latch all_known(threads);
  std::atomic<int> refused{0};
  const auto work = [&](std::size_t which) {
    places[which] = &pool();
    all_known.arrive_and_wait();
    std::minstd_rand random(static_cast<unsigned>(which + 1));
    for (int i = 0; i < many_rounds; ++i) {
      fiber* const taken = pool().take(0);
      if (taken == nullptr) {
        ++refused;
      } else {
        places[random() % threads]->give(taken, 0);
      }
    }
  };

  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work, i);
  for (std::thread& each : workers) each.join();
  EXPECT_EQ(refused, 0);
}

// The same with classes, where one is made of another.
TEST_F(StackPool, HasOneOfTheRightClassForEachThreadThatTheCapAllows) {
  constexpr std::size_t threads = 6;
  allow(threads);
  std::atomic<int> refused{0};
  const auto work = [&](std::size_t seed) {
    for (std::size_t i = 0; i < 5'000; ++i) {
      const std::size_t of = (i / 100 + seed) % 3 == 0 ? 1 : 0;
      fiber* const taken = pool().take(of);
      if (taken == nullptr) {
        ++refused;
      } else {
        pool().give(taken, of);
      }
    }
  };

  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work, i);
  for (std::thread& each : workers) each.join();
  EXPECT_EQ(refused, 0);
}

}  // namespace
