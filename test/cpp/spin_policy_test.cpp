#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <upcall/detail/base/spin_policy.hpp>
#include <vector>

namespace {

using upcall::detail::spin_policy;

/// Whether it looked, of a wait that is not done in time.
bool looks_in_vain(spin_policy& policy) {
  bool looked = false;
  EXPECT_FALSE(policy.spin([&] {
    looked = true;
    return false;
  }));
  return looked;
}

/// How many waits it lets pass before it looks again.
int skipped(spin_policy& policy) {
  int waits = 0;
  while (!looks_in_vain(policy)) {
    ++waits;
    if (waits > 100'000) break;
  }
  return waits;
}

TEST(SpinPolicy, SaysThatItIsDone) {
  spin_policy policy;
  int looks = 0;
  EXPECT_TRUE(policy.spin([&] { return ++looks == 10; }));
  EXPECT_EQ(looks, 10);
}

TEST(SpinPolicy, EndsWhereItIsNeverDone) {
  spin_policy policy;
  EXPECT_TRUE(looks_in_vain(policy));
}

TEST(SpinPolicy, StopsAfterLossesForEverLonger) {
  spin_policy policy;
  EXPECT_EQ(skipped(policy), 0);
  int before = 0;
  for (int loss = 0; loss < 10; ++loss) {
    const int now = skipped(policy);
    EXPECT_GT(now, before);
    before = now;
  }
}

TEST(SpinPolicy, TriesAgainNowAndThenHoweverOftenItLost) {
  spin_policy policy;
  for (int loss = 0; loss < 30; ++loss) EXPECT_LE(skipped(policy), 1024);
  EXPECT_GT(skipped(policy), 500);
}

TEST(SpinPolicy, ForgetsItsLossesWhenItWins) {
  spin_policy policy;
  for (int loss = 0; loss < 12; ++loss) skipped(policy);
  bool won = false;
  while (!won) won = policy.spin([] { return true; });
  EXPECT_EQ(skipped(policy), 0);
  EXPECT_EQ(skipped(policy), 1);
}

TEST(SpinPolicy, LetsOneThreadOfTwoCoresSpin) {
  for (const unsigned cores : {0U, 1U, 2U, 3U}) {
    spin_policy policy(cores);
    bool other_looked = false;
    // While it looks itself, nobody else does.
    EXPECT_TRUE(policy.spin([&] {
      std::thread([&] {
        EXPECT_FALSE(policy.spin([&] {
          other_looked = true;
          return true;
        }));
      }).join();
      return true;
    }));
    EXPECT_FALSE(other_looked);
    // A place that was refused is no place that is lost.
    EXPECT_TRUE(policy.spin([] { return true; }));
  }
}

TEST(SpinPolicy, LetsHalfTheCoresSpinAtMost) {
  constexpr unsigned cores = 6;
  spin_policy policy(cores);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::latch start(12);
  {
    std::vector<std::jthread> threads;
    threads.reserve(12);
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        for (int round = 0; round < 200; ++round) {
          bool entered = false;
          policy.spin([&] {
            if (!entered) {
              entered = true;
              const int now = ++inside;
              int seen = most;
              while (seen < now && !most.compare_exchange_weak(seen, now)) {
              }
              std::this_thread::yield();
              --inside;
            }
            return true;
          });
        }
      });
    }
  }
  EXPECT_GE(most, 1);
  EXPECT_LE(most, static_cast<int>(cores / 2));
}

}  // namespace
