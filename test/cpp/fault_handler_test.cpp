#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcall/detail/fiber/alternate_stack.hpp>
#include <upcall/detail/fiber/fault_handler.hpp>
#include <upcall/detail/fiber/fiber.hpp>
#include <upcall/detail/fiber/stack_memory.hpp>

// Each test dies, or changes what the process does at a fault, so each runs in a process of its
// own.

namespace {

using upcall::detail::alternate_stack;
using upcall::detail::fault_handler;
using upcall::detail::fiber;
using upcall::detail::guard_pages;
using upcall::detail::stack_memory;

void say(std::string_view text) noexcept {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}
void say_one(const void*) noexcept { say("one "); }
void say_two(const void*) noexcept { say("two "); }
using one = fault_handler<&say_one>;
using two = fault_handler<&say_two>;

void fault() {
  void* const page =
      mmap(nullptr, std::size_t{4096}, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

/// Installs a handler that was there before ours.
void before(void (*handle)(int, siginfo_t*, void*), int flags, int blocked = 0) {
  struct sigaction earlier {};
  earlier.sa_sigaction = handle;
  earlier.sa_flags = SA_SIGINFO | flags;
  if (blocked != 0) sigaddset(&earlier.sa_mask, blocked);
  sigaction(SIGSEGV, &earlier, nullptr);
}

bool is_blocked(int signal) {
  sigset_t now{};
  pthread_sigmask(SIG_BLOCK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

// ThreadSanitizer blocks signals of its own choice while a handler runs.
#if defined(UPCALL_TSAN)
#define SKIP_IF_TSAN_MASKS() GTEST_SKIP()
#else
#define SKIP_IF_TSAN_MASKS() static_cast<void>(0)
#endif

class FaultHandlerDeathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    std::signal(SIGSEGV, SIG_DFL);  // and not a sanitizer's
  }
};

// An emulator adds a line of its own to what a process says that it emulates, when that dies.
std::string pattern_of_all(const std::string& said) { return "^" + said + "(qemu: .*)?$"; }

const auto by_segv = ::testing::KilledBySignal(SIGSEGV);
const auto normally = ::testing::ExitedWithCode(0);

TEST_F(FaultHandlerDeathTest, LeavesTheDeathByAFaultAsItIs) {
  EXPECT_EXIT((one::install(), fault()), by_segv, pattern_of_all("one "));
}

TEST_F(FaultHandlerDeathTest, HandsOnToOneThatWasInstalledBefore) {
  EXPECT_EXIT((one::install(), two::install(), fault()), by_segv, pattern_of_all("two one "));
}

TEST_F(FaultHandlerDeathTest, IsInstalledOnce) {
  EXPECT_EXIT((one::install(), two::install(), one::install(), fault()), by_segv,
              pattern_of_all("two one "));
}

TEST_F(FaultHandlerDeathTest, LooksAtNoSignalThatAProcessHasSent) {
  EXPECT_EXIT((one::install(), two::install(), std::raise(SIGSEGV)), by_segv, pattern_of_all(""));
  EXPECT_EXIT((one::install(), kill(getpid(), SIGSEGV)), by_segv, pattern_of_all(""));
}

TEST_F(FaultHandlerDeathTest, KeepsASignalIgnoredButNoFault) {
  std::signal(SIGSEGV, SIG_IGN);
  EXPECT_EXIT((one::install(), std::raise(SIGSEGV), std::exit(0)), normally, "^$");
  EXPECT_EXIT((one::install(), std::raise(SIGSEGV), fault()), by_segv, pattern_of_all("one "));
}

TEST_F(FaultHandlerDeathTest, GivesTheEarlierHandlerWhatItWouldHaveHad) {
  SKIP_IF_TSAN_MASKS();
  const auto earlier = [](int signal, siginfo_t* info, void* context) {
    say(signal == SIGSEGV && info->si_addr != nullptr && context != nullptr ? "earlier " : "no ");
    say(is_blocked(SIGSEGV) && is_blocked(SIGUSR1) && !is_blocked(SIGUSR2) ? "masked" : "no");
    _exit(0);
  };
  before(earlier, 0, SIGUSR1);
  EXPECT_EXIT((one::install(), fault()), normally, "^one earlier masked$");
}

TEST_F(FaultHandlerDeathTest, LetsAnEarlierHandlerHaveFaultsOfItsOwn) {
  SKIP_IF_TSAN_MASKS();
  const auto earlier = [](int, siginfo_t*, void*) {
    static bool again = false;
    say("earlier ");
    if (again) _exit(0);
    again = true;
    fault();
  };
  before(earlier, SA_NODEFER);
  EXPECT_EXIT((one::install(), fault()), normally, "^one earlier one earlier $");
}

TEST_F(FaultHandlerDeathTest, CallsOnceWhatWasToBeCalledOnce) {
  const auto earlier = [](int, siginfo_t*, void*) { say("earlier "); };
  before(earlier, static_cast<int>(SA_RESETHAND));
  EXPECT_EXIT((one::install(), fault()), by_segv, pattern_of_all("one earlier one "));
}

TEST_F(FaultHandlerDeathTest, HandsOnToAHandlerWithoutInformation) {
  std::signal(SIGSEGV, [](int signal) {
    say(signal == SIGSEGV ? "earlier" : "no");
    _exit(0);
  });
  EXPECT_EXIT((one::install(), fault()), normally, "^one earlier$");
}

void* page_to_open = nullptr;

TEST_F(FaultHandlerDeathTest, LetsTheProgramGoOnWhereTheEarlierHandlerDoes) {
  const auto go_on = [] {
    page_to_open = mmap(nullptr, std::size_t{4096}, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const auto earlier = [](int, siginfo_t*, void*) {
      mprotect(page_to_open, std::size_t{4096}, PROT_READ | PROT_WRITE);
      errno = EIO;
    };
    before(earlier, 0);
    one::install();
    errno = ENOENT;
    *static_cast<volatile char*>(page_to_open) = 1;
    std::exit(errno == ENOENT ? 0 : 1);
  };
  EXPECT_EXIT(go_on(), normally, "^one $");
}

[[gnu::noinline]] std::size_t recurse(std::size_t depth) {
  std::array<volatile char, 1000> frame{};
  frame[depth % frame.size()] = 1;
  if (depth == SIZE_MAX) return 0;
  return recurse(depth + 1) + static_cast<std::size_t>(frame[depth % frame.size()]);
}

std::byte* end_of_stack = nullptr;
void say_overflow(const void* address) noexcept {
  const std::ptrdiff_t below = end_of_stack - static_cast<const std::byte*>(address);
  const bool inside = 0 < below && static_cast<std::size_t>(below) <= stack_memory::guard_size;
  say(inside ? "overflow" : "no");
}

class FaultOnFiberDeathTest : public FaultHandlerDeathTest,
                              public ::testing::WithParamInterface<guard_pages> {};

TEST_P(FaultOnFiberDeathTest, IsSeenInTheGuardOnTheAlternateStack) {
  const auto overflow = [] {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    const alternate_stack given;
    fault_handler<&say_overflow>::install();
    stack_memory memory;
    memory.configure(GetParam(), 0);
    constexpr std::size_t size = std::size_t{128} * 1024;
    end_of_stack = memory.map(size);
    fiber::make(end_of_stack, size)->start([](void*) noexcept { recurse(0); }, nullptr);
  };
  EXPECT_EXIT(overflow(), by_segv, pattern_of_all("overflow"));
}

INSTANTIATE_TEST_SUITE_P(Guards, FaultOnFiberDeathTest,
                         ::testing::Values(guard_pages::automatic, guard_pages::mprotect),
                         [](const ::testing::TestParamInfo<guard_pages>& of) {
                           return of.param == guard_pages::automatic ? "automatic" : "mprotect";
                         });

}  // namespace
