#pragma once

#include <erl_nif.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "../base/atom_text.hpp"
#include "../base/config.hpp"
#include "../base/utf8.hpp"
#include "../call/native_call.hpp"
#include "../call/this_thread.hpp"
#include "../fiber/fault_handler.hpp"
#include "../fiber/fiber_thread.hpp"
#include "../fiber/stack_memory.hpp"
#include "../fiber/stack_pool.hpp"

// What is said of a native function that has used up its stack, before the VM ends.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// A line for standard error, made without what a signal handler may not use.
class signal_safe_line {
 public:
  signal_safe_line& operator<<(std::string_view text) noexcept {
    const std::size_t fits = std::min(text.size(), m_text.size() - m_size);
    std::copy_n(text.begin(), fits, m_text.begin() + static_cast<std::ptrdiff_t>(m_size));
    m_size += fits;
    return *this;
  }
  signal_safe_line& operator<<(std::size_t number) noexcept {
    std::array<char, 20> digits{};
    auto first = digits.end();
    do {
      *--first = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << std::string_view(&*first, static_cast<std::size_t>(digits.end() - first));
  }
  void write() const noexcept {
    // Nobody could be told that it failed.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, m_text.data(), m_size);
  }

 private:
  std::array<char, 1024> m_text{};
  std::size_t m_size = 0;
};

/// The module of this library as it is written, with what stands before a function: "Demo.Native.".
class module_prefix {
 public:
  void set(ErlNifEnv* env, ERL_NIF_TERM module) {
    if (module == 0 || !enif_is_atom(env, module)) return;  // loaded without options
    std::string name = detail::name_of_atom(env, module);
    detail::cut_text(name, m_name.size());
    constexpr std::string_view elixir = "Elixir.";
    std::string_view written = name;
    m_is_elixir = written.starts_with(elixir);
    if (m_is_elixir) written.remove_prefix(elixir.size());
    std::copy_n(written.begin(), written.size(), m_name.begin());
    m_size = written.size();
  }
  friend signal_safe_line& operator<<(signal_safe_line& line, const module_prefix& of) noexcept {
    if (of.m_size == 0) return line;
    return line << (of.m_is_elixir ? "" : ":") << std::string_view(of.m_name.data(), of.m_size)
                << ".";
  }

 private:
  std::array<char, 256> m_name{};
  std::size_t m_size = 0;
  bool m_is_elixir = false;
};
inline constinit module_prefix library_prefix;

/// Says what to write in the place of a stack of `size`.
inline void put_advice(signal_safe_line& line, std::size_t size) noexcept {
  constexpr std::size_t most = stack_pool::size_of(stack_pool::classes - 1);
  constexpr std::size_t kilobyte = 1024;
  constexpr std::size_t megabyte = kilobyte * kilobyte;
  if (size == most) {
    line << "that is the most there is: make it upcall::pinned";
    return;
  }
  // What is not used costs nothing, so it need not be found out by many small steps.
  const std::size_t larger = std::min(4 * size, most);
  line << "give it upcall::stack_size{" << larger / (larger < megabyte ? kilobyte : megabyte)
       << (larger < megabyte ? " << 10" : " << 20") << "} in its UPCALL_NIF";
}

/// Says which native function has overflowed its stack, if that is what a fault at `address` is:
/// one in the guard of the stack that this thread runs on. Threads: any, in a signal handler.
inline void report_overflow(const void* address) noexcept {
  const auto* const here = static_cast<const thread_calls*>(fiber_thread::here());
  const native_call* const running = here == nullptr ? nullptr : here->current;
  if (running == nullptr || running->stack_end() == nullptr) return;
  const auto below = reinterpret_cast<std::uintptr_t>(running->stack_end()) -
                     reinterpret_cast<std::uintptr_t>(address);
  if (below == 0 || below > stack_memory::guard_size) return;

  constexpr std::size_t kilobyte = 1024;
  const std::size_t kilobytes = running->stack_size() / kilobyte;
  const nif_identity nif = running->nif();
  signal_safe_line line;
  line << "upcall: " << library_prefix << nif.name << "/" << static_cast<std::size_t>(nif.arity)
       << " has overflowed its stack of "
       << (kilobytes < kilobyte ? kilobytes : kilobytes / kilobyte)
       << (kilobytes < kilobyte ? " KB" : " MB") << ", and the VM ends; ";
  put_advice(line, running->stack_size());
  line << ", or recurse less (docs/choosing_a_stack_size.md)\n";
  line.write();
}

/// Lets overflows in this library be told, from now on.
inline void report_overflows(ErlNifEnv* env, ERL_NIF_TERM module) noexcept {
  try {
    library_prefix.set(env, module);
  } catch (const std::bad_alloc&) {
    // Overflows are told without it.
  }
  fault_handler<&report_overflow>::install();
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
