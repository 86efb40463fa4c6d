// Native calls that give an upcall::result.

#include <cstdint>
#include <string>
#include <string_view>
#include <upcall/stl.hpp>
#include <vector>

#include "bodies.hpp"

namespace {

static_assert(upcall::encodable<upcall::result<>> && !upcall::decodable<upcall::result<>>);
static_assert(upcall::borrowing<upcall::result<std::string_view>>);
static_assert(!upcall::borrowing<upcall::result<std::string>>);
static_assert(!upcall::borrowing<upcall::result<void>>);

// Errors that are values here, and so not thrown.
// NOLINTBEGIN(bugprone-throw-keyword-missing)
body<upcall::result<std::int64_t>> divide(std::int64_t dividend, std::int64_t divisor) {
  if (divisor == 0) UPCALL_RETURN upcall::error("Elixir.ArithmeticError", "division by zero");
  UPCALL_RETURN dividend / divisor;
}
UPCALL_NIF(divide);

body<upcall::result<void>> check(bool holds) {
  if (!holds) UPCALL_RETURN upcall::error("Elixir.ArgumentError", "it does not hold");
  UPCALL_RETURN upcall::result<void>(std::monostate{});
}
UPCALL_NIF(check);
// NOLINTEND(bugprone-throw-keyword-missing)

/// What a function has come to, as it is.
body<upcall::result<std::string>> tried(function<std::string()> f) {
  UPCALL_RETURN UPCALL_AWAIT f.try_call();
}
UPCALL_NIF(tried);
body<upcall::result<>> tried_untyped(function<upcall::owned_term()> f) {
  UPCALL_RETURN UPCALL_AWAIT f.try_call();
}
UPCALL_NIF(tried_untyped);

/// As a part of others.
body<std::vector<upcall::result<std::int64_t>>> divide_all(std::vector<std::int64_t> divisors) {
  std::vector<upcall::result<std::int64_t>> results;
  for (const std::int64_t each : divisors) {
    if (each == 0) {
      results.emplace_back(upcall::error("Elixir.ArithmeticError", "division by zero"));
    } else {
      results.emplace_back(100 / each);
    }
  }
  UPCALL_RETURN results;
}
UPCALL_NIF(divide_all);

body<upcall::result<double>> not_a_number() { UPCALL_RETURN 0.0 / 0.0; }
UPCALL_NIF(not_a_number);

#if !defined(UPCALL_TEST_COROUTINES)

UPCALL_NIF_AS("pinned_divide", &divide, upcall::pinned);
UPCALL_NIF_AS("pinned_tried", &tried, upcall::pinned);

upcall::result<std::int64_t> on_executor(upcall::function<std::int64_t()> f,
                                         upcall::executor executor) {
  return f.on(executor).try_call();
}
UPCALL_NIF(on_executor);

#endif

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.Result");
