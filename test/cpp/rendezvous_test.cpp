#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <thread>
#include <upcall/detail/base/rendezvous.hpp>
#include <upcall/detail/base/spin_policy.hpp>
#include <utility>

namespace {

using namespace std::chrono_literals;
using upcall::detail::clock;
using upcall::detail::no_deadline;
using upcall::detail::rendezvous;
using upcall::detail::spin_policy;

#if defined(UPCALL_TSAN) || defined(UPCALL_ASAN)
constexpr int many_rounds = 5'000;
#else
constexpr int many_rounds = 50'000;
#endif

// Meetings, one after another, of a thread that waits and one that is done. What the one has
// written is there for the other; who waits destroys the meeting, as soon as it may.
void meet(spin_policy& policy, bool with_deadline) {
  struct meeting {
    rendezvous place;
    int written = 0;  // without the lock, and so for TSan to judge
  };
  std::atomic<meeting*> next{nullptr};
  std::jthread other([&next](const std::stop_token& stop) {
    for (int i = 1; !stop.stop_requested(); ++i) {
      meeting* here = nullptr;
      while ((here = next.exchange(nullptr)) == nullptr) {
        if (stop.stop_requested()) return;
        std::this_thread::yield();
      }
      here->written = i;
      here->place.set_done(here->place.lock());
    }
  });
  for (int i = 1; i <= many_rounds; ++i) {
    const auto here = std::make_unique<meeting>();
    next = here.get();
    const auto until = with_deadline ? clock::now() + 60s : no_deadline;
    ASSERT_TRUE(here->place.wait(until, policy));
    ASSERT_EQ(here->written, i);
  }
}

TEST(Rendezvous, LosesNoWakeUp) {
  spin_policy policy;
  meet(policy, false);
}

TEST(Rendezvous, LosesNoWakeUpBeforeADeadline) {
  spin_policy policy;
  meet(policy, true);
}

TEST(Rendezvous, LosesNoWakeUpOfSeveralThatShareAPolicy) {
  spin_policy policy(2);
  std::jthread one([&] { meet(policy, false); });
  std::jthread two([&] { meet(policy, true); });
}

TEST(Rendezvous, WaitsForNothingThatIsDone) {
  rendezvous place;
  EXPECT_FALSE(place.done());
  place.set_done(place.lock());
  EXPECT_TRUE(place.done());
  spin_policy policy;
  EXPECT_TRUE(place.wait(clock::time_point::min(), policy));
  EXPECT_TRUE(place.wait(no_deadline, policy));
}

TEST(Rendezvous, GivesUpAtTheDeadlineAndNotBefore) {
  spin_policy policy;
  for (const auto timeout : {0ms, 1ms, 20ms}) {
    rendezvous place;
    const auto until = clock::now() + timeout;
    EXPECT_FALSE(place.wait(until, policy));
    EXPECT_GE(clock::now(), until);
    EXPECT_FALSE(place.done());
  }
}

TEST(Rendezvous, GivesUpAtOnceWhereTheDeadlineHasPassed) {
  rendezvous place;
  spin_policy policy;
  EXPECT_FALSE(place.wait(clock::time_point::min(), policy));
}

// The race: it is done at the deadline. Either way, both sides agree.
TEST(Rendezvous, IsDoneForBothOrForNeitherAtTheDeadline) {
  spin_policy policy;
  for (int i = 0; i < many_rounds / 50; ++i) {
    rendezvous place;
    bool taken_back = false;  // guarded by the lock
    std::latch both(2);
    std::jthread other([&] {
      both.arrive_and_wait();
      auto held = place.lock();
      if (!taken_back) place.set_done(std::move(held));
    });
    both.arrive_and_wait();
    const bool seen = place.wait(clock::now() + std::chrono::microseconds(i % 60), policy);
    const auto held = place.lock();
    if (seen) {
      EXPECT_TRUE(place.done());
    } else {
      taken_back = true;
    }
  }
}

}  // namespace
