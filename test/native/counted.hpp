#pragma once

#include <atomic>
#include <cstdint>
#include <upcall/stl.hpp>
#include <utility>

#include "bodies.hpp"

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

body<std::pair<std::int64_t, std::int64_t>> objects() { UPCALL_RETURN{made, destroyed}; }
UPCALL_NIF(objects);

}  // namespace
