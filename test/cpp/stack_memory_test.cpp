#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <upcall/detail/fiber/fiber.hpp>
#include <upcall/detail/fiber/stack_memory.hpp>
#include <vector>

namespace {

using upcall::detail::fiber;
using upcall::detail::guard_pages;
using upcall::detail::stack_memory;

constexpr std::size_t size = std::size_t{128} * 1024;

// What /proc/self/smaps says of the mapping that an address is in, after its first line.
std::string mapping_of(const std::byte* address) {
  const auto sought = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream file("/proc/self/smaps");
  std::string line;
  std::string found;
  bool inside = false;
  while (std::getline(file, line)) {
    std::uintptr_t first = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    if (std::istringstream(line) >> std::hex >> first >> dash >> end && dash == '-') {
      inside = first <= sought && sought < end;
    } else if (inside) {
      found += line + "\n";
    }
  }
  return found;
}

// So that a fault is the kernel's answer, and not a sanitizer's.
void write_and_die(std::byte* to) {
  std::signal(SIGSEGV, SIG_DFL);
  *static_cast<volatile std::byte*>(to) = std::byte{1};
}

[[gnu::noinline]] std::size_t recurse(std::size_t depth) {
  std::array<volatile char, 1000> frame{};
  frame[depth % frame.size()] = 1;
  if (depth == SIZE_MAX) return 0;
  return recurse(depth + 1) + static_cast<std::size_t>(frame[depth % frame.size()]);
}

class StackMemory : public ::testing::TestWithParam<guard_pages> {
 protected:
  void SetUp() override {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    m_memory.configure(GetParam(), 0);
  }
  stack_memory m_memory;
};

class StackMemoryDeathTest : public StackMemory {};

TEST_P(StackMemory, IsAllUsable) {
  std::byte* const stack = m_memory.map(size);
  ASSERT_NE(stack, nullptr);
  std::memset(stack, 1, size);
  EXPECT_EQ(m_memory.mapped(), 1U);
}

TEST_P(StackMemory, KnowsHowFarItWasTouched) {
  std::byte* const stack = m_memory.map(size);
  EXPECT_EQ(stack_memory::touched(stack, size), 0U);
  stack[size - 1] = std::byte{1};
  const std::size_t page = stack_memory::touched(stack, size);
  EXPECT_EQ(page, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  stack[10 * page] = std::byte{0};  // in whole pages, whatever is written
  EXPECT_EQ(stack_memory::touched(stack, size), size - 10 * page);
  stack[0] = std::byte{1};
  EXPECT_EQ(stack_memory::touched(stack, size), size);
  stack_memory::discard(stack, 20 * page);
  EXPECT_EQ(stack_memory::touched(stack, size), page);

  constexpr std::size_t large =
      std::size_t{16} * 1024 * 1024;  // more pages than it asks for at once
  std::byte* const other = m_memory.map(large);
  other[large - large / 4] = std::byte{1};
  EXPECT_EQ(stack_memory::touched(other, large), large / 4);
}

TEST_P(StackMemory, IsNotMadeOfHugePages) {
  if (std::getenv("UPCALL_EMULATED") != nullptr)
    GTEST_SKIP() << "qemu does not tell the kernel what is advised of memory";
  std::byte* const stack = m_memory.map(size);
  const std::string mapping = mapping_of(stack);
  const bool kernel_has_them = mapping.find("THPeligible") != std::string::npos;
  EXPECT_TRUE(!kernel_has_them || mapping.find(" nh") != std::string::npos) << mapping;
}

TEST_P(StackMemoryDeathTest, EndsInAGuard) {
  std::byte* const stack = m_memory.map(size);
  ASSERT_NE(stack, nullptr);
  EXPECT_EXIT(write_and_die(stack - 1), ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(write_and_die(stack - stack_memory::guard_size), ::testing::KilledBySignal(SIGSEGV),
              "");
}

TEST_P(StackMemoryDeathTest, StopsRecursionOnAFiber) {
  std::byte* const stack = m_memory.map(size);
  std::byte* const neighbour = m_memory.map(size);
  ASSERT_NE(stack, nullptr);
  ASSERT_NE(neighbour, nullptr);
  const auto overflow = [](void*) noexcept {
    std::signal(SIGSEGV, SIG_DFL);
    recurse(0);
  };
  EXPECT_EXIT(fiber::make(stack, size)->start(overflow, nullptr),
              ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(fiber::make(neighbour, size)->start(overflow, nullptr),
              ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_P(StackMemoryDeathTest, KeepsItsGuardWhenDiscarded) {
  std::byte* const stack = m_memory.map(size);
  std::memset(stack, 1, size);
  stack_memory::discard(stack, size);
  EXPECT_EQ(stack[0], std::byte{0});
  EXPECT_EQ(stack[size - 1], std::byte{0});
  EXPECT_EXIT(write_and_die(stack - 1), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_P(StackMemoryDeathTest, KeepsItsAddressesWhenUnmapped) {
  std::byte* const stack = m_memory.map(size);
  std::memset(stack, 1, size);
  m_memory.unmap(stack, size);
  EXPECT_EQ(m_memory.mapped(), 0U);
  EXPECT_EXIT(write_and_die(stack), ::testing::KilledBySignal(SIGSEGV), "");

  ASSERT_EQ(m_memory.map(size, stack), stack);
  EXPECT_EQ(stack[0], std::byte{0});
  std::memset(stack, 1, size);
  EXPECT_EXIT(write_and_die(stack - 1), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_P(StackMemory, HasACap) {
  m_memory.configure(GetParam(), 2);
  EXPECT_EQ(m_memory.most(), 2U);
  EXPECT_NE(m_memory.map(size), nullptr);
  std::byte* const second = m_memory.map(size);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(m_memory.map(size), nullptr);
  EXPECT_EQ(m_memory.map(size), nullptr);
  EXPECT_EQ(m_memory.mapped(), 2U);
  m_memory.unmap(second, size);
  EXPECT_NE(m_memory.map(size), nullptr);
}

TEST_P(StackMemory, GivesNothingWhenTheKernelHasNoMore) {
  constexpr std::size_t too_much = SIZE_MAX / 4;
  EXPECT_EQ(m_memory.map(too_much), nullptr);
  EXPECT_EQ(m_memory.mapped(), 0U);
}

const auto both = ::testing::Values(guard_pages::automatic, guard_pages::mprotect);
std::string name_of(const ::testing::TestParamInfo<guard_pages>& of) {
  return of.param == guard_pages::automatic ? "automatic" : "mprotect";
}
INSTANTIATE_TEST_SUITE_P(Guards, StackMemory, both, name_of);
INSTANTIATE_TEST_SUITE_P(Guards, StackMemoryDeathTest, both, name_of);

TEST(StackMemoryGuards, ByMprotectLeaveTheProcessMostOfItsMappings) {
  stack_memory memory;
  memory.configure(guard_pages::mprotect, 0);
  EXPECT_FALSE(memory.light());
  std::size_t allowed = 0;
  ASSERT_TRUE(std::ifstream("/proc/sys/vm/max_map_count") >> allowed);
  EXPECT_LE(2 * memory.most(), allowed / 4);

  std::vector<std::byte*> mapped;
  while (std::byte* const stack = memory.map(std::size_t{64} * 1024)) mapped.push_back(stack);
  EXPECT_EQ(mapped.size(), memory.most());

  // Each a mapping of its own, as neighbours differ.
  constexpr std::size_t page = 4096;
  std::vector<void*> others;
  for (std::size_t i = 0; i < allowed / 4; ++i) {
    void* const other = ::mmap(nullptr, page, i % 2 == 0 ? PROT_READ : PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (other == MAP_FAILED) break;
    others.push_back(other);
  }
  EXPECT_EQ(others.size(), allowed / 4);
  for (void* const other : others) ::munmap(other, page);
  for (std::byte* const stack : mapped) memory.unmap(stack, std::size_t{64} * 1024);
}

TEST(StackMemoryGuards, ThatAreLightCostNoMappings) {
  stack_memory memory;
  memory.configure(guard_pages::automatic, 0);
  constexpr std::size_t count = 500;
  std::set<std::uintptr_t> addresses;
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* const stack = memory.map(size);
    ASSERT_NE(stack, nullptr);
    addresses.insert(reinterpret_cast<std::uintptr_t>(stack));
  }

  std::size_t mappings = 0;
  std::ifstream file("/proc/self/maps");
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> first >> dash >> end;
    const auto inside = addresses.lower_bound(first);
    if (inside != addresses.end() && *inside < end) ++mappings;
  }
  // Where the kernel has no light guards each has one, and its guard another.
  EXPECT_LE(mappings, memory.light() ? count / 10 : count);
}

}  // namespace
