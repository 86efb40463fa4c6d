#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <thread>
#include <upcall/detail/call/this_thread.hpp>
#include <upcall/detail/fiber/alternate_stack.hpp>
#include <upcall/detail/fiber/fiber_thread.hpp>
#include <vector>

namespace {

using upcall::detail::alternate_stack;
using upcall::detail::begin_with_fibers;
using upcall::detail::fiber_thread;
using upcall::detail::this_thread_calls;

stack_t present() {
  stack_t found{};
  sigaltstack(nullptr, &found);
  return found;
}

void disable() {
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
}

TEST(FiberThread, IsKnownFromItsFirstFiberOn) {
  std::thread([] {
    EXPECT_EQ(fiber_thread::here(), nullptr);
    begin_with_fibers(this_thread_calls());
    EXPECT_EQ(fiber_thread::here(), &this_thread_calls());
    std::thread([] { EXPECT_EQ(fiber_thread::here(), nullptr); }).join();
  }).join();
}

TEST(FiberThread, IsTheThreadItself_AmongManyThatComeAndGo) {
  constexpr int at_once = 8;
  constexpr int rounds = 50;
  std::vector<std::thread> threads;
  threads.reserve(at_once);
  for (int i = 0; i < at_once; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < rounds; ++round) {
        std::thread([] {
          EXPECT_EQ(fiber_thread::here(), nullptr);
          begin_with_fibers(this_thread_calls());
          EXPECT_EQ(fiber_thread::here(), &this_thread_calls());
        }).join();
      }
    });
  }
  for (std::thread& each : threads) each.join();
}

TEST(AlternateStack, IsGivenToAThreadThatHasNone_AndTakenBack) {
  std::thread([] {
    disable();
    {
      const alternate_stack given;
      EXPECT_EQ(present().ss_flags, 0);
      EXPECT_GE(present().ss_size, std::size_t{64} * 1024);
    }
    EXPECT_EQ(present().ss_flags, SS_DISABLE);
  }).join();
}

std::array<std::byte, std::size_t{64} * 1024> of_others;

void use_that_of_others() {
  stack_t theirs{};
  theirs.ss_sp = of_others.data();
  theirs.ss_size = of_others.size();
  ASSERT_EQ(sigaltstack(&theirs, nullptr), 0);
}

TEST(AlternateStack, ReplacesNone) {
  std::thread([] {
    use_that_of_others();
    {
      const alternate_stack given;
      EXPECT_EQ(present().ss_sp, of_others.data());
    }
    EXPECT_EQ(present().ss_sp, of_others.data());
    disable();
  }).join();
}

TEST(AlternateStack, LeavesOneThatHasTakenItsPlace) {
  std::thread([] {
    disable();
    {
      const alternate_stack given;
      use_that_of_others();
    }
    EXPECT_EQ(present().ss_sp, of_others.data());
    disable();
  }).join();
}

}  // namespace
