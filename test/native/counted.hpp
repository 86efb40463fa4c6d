#pragma once

#include <atomic>
#include <cstdint>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>

// Counts the objects of a test library, for who wants to know whether each was destroyed once.

namespace {

std::atomic<std::int64_t> made{0};
std::atomic<std::int64_t> destroyed{0};
struct counted {
  counted() noexcept { ++made; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { ++destroyed; }
};

std::pair<std::int64_t, std::int64_t> objects() { return {made, destroyed}; }
UPCALL_NIF(objects);

}  // namespace
