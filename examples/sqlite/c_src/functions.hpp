#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <upcall.hpp>
#include <upcall/structs.hpp>
#include <utility>

#include "statement.hpp"
#include "value.hpp"

// The C functions that SQLite calls, and the Elixir functions behind them. No exception crosses
// SQLite: `c_callback` catches it and tells SQLite of a failure, and `through_c` throws it again
// (see `statement::step`).

namespace sqlite {

/// How SQL tells functions apart. Collations have no arity.
struct signature {
  std::string name;
  int arity = 0;
  auto operator<=>(const signature&) const = default;
};

struct activity {
  std::uint64_t upcalls = 0;
  bool comparing = false;  ///< a collation's function runs
};

/// A place for an Elixir function that SQLite knows by name. The function is either an
/// `upcall::function` of one query, which leaves it empty, or an `upcall::kept_function`.
template <class Function>
struct slot {
  std::optional<Function> function;

  Function& call(activity& now) {
    ++now.upcalls;
    if (function) return *function;
    raise_error(SQLITE_ERROR, "no such function: it was given with a query that has ended");
  }
};

inline void fail(sqlite3_context* context) {
  sqlite3_result_error(context, "an Elixir function failed", -1);
}

struct scalar : slot<std::function<value(arguments)>> {
  explicit scalar(activity& now)
      : m_call([](sqlite3_context* context, const auto&...) { fail(context); },
               [this, &now](sqlite3_context* context, int count, sqlite3_value** values) {
                 set_result(context, call(now)({count, values}));
               }) {}

  /// Makes the function known to SQLite, or unknown.
  int enroll(sqlite3* db, const signature& name, bool known) {
    return sqlite3_create_function_v2(db, name.name.c_str(), name.arity, SQLITE_UTF8, m_call.data(),
                                      known ? m_call.function() : nullptr, nullptr, nullptr,
                                      nullptr);
  }

 private:
  upcall::c_callback<void(sqlite3_context*, int, sqlite3_value**), &sqlite3_user_data> m_call;
};

/// What an aggregate has come to so far. It stays in Elixir, in a closure that the frame keeps
/// alive (a root): it never goes stale, and nothing is copied however large it grows.
using state = upcall::function<upcall::term()>;

struct aggregate_functions {
  std::function<state()> begin;
  std::function<state(state, arguments)> step;
  std::function<value(state)> finish;
};

struct aggregate : slot<aggregate_functions> {
  explicit aggregate(activity& now)
      : m_step([](sqlite3_context* context, const auto&...) { fail(context); },
               [this, &now](sqlite3_context* context, int count, sqlite3_value** values) {
                 const aggregate_functions& functions = call(now);
                 state*& so_far = state_of_group(context);
                 if (so_far == nullptr) so_far = new state(functions.begin());
                 *so_far = functions.step(*so_far, {count, values});
               }),
        m_finish(
            [](sqlite3_context* context) {  // SQLite finishes the group of a failed query, too
              take_state(context);
              fail(context);
            },
            [this, &now](sqlite3_context* context) {
              const std::unique_ptr<state> last = take_state(context);  // null for no rows at all
              const aggregate_functions& functions = call(now);
              set_result(context, functions.finish(last ? *last : functions.begin()));
            }) {}

  int enroll(sqlite3* db, const signature& name, bool known) {
    return sqlite3_create_function_v2(db, name.name.c_str(), name.arity, SQLITE_UTF8, this, nullptr,
                                      known ? m_step.function() : nullptr,
                                      known ? m_finish.function() : nullptr, nullptr);
  }

 private:
  /// SQLite keeps room for a pointer for every group of rows, null at first.
  static state*& state_of_group(sqlite3_context* context) {
    void* place = sqlite3_aggregate_context(context, sizeof(state*));
    if (place == nullptr) throw std::bad_alloc();
    return *static_cast<state**>(place);
  }
  static std::unique_ptr<state> take_state(sqlite3_context* context) {
    auto* const place = static_cast<state**>(sqlite3_aggregate_context(context, 0));
    return std::unique_ptr<state>(place == nullptr ? nullptr : std::exchange(*place, nullptr));
  }

  // SQLite hands out one pointer for both.
  static void* step_data(sqlite3_context* context) {
    return static_cast<aggregate*>(sqlite3_user_data(context))->m_step.data();
  }
  static void* finish_data(sqlite3_context* context) {
    return static_cast<aggregate*>(sqlite3_user_data(context))->m_finish.data();
  }

  upcall::c_callback<void(sqlite3_context*, int, sqlite3_value**), &step_data> m_step;
  upcall::c_callback<void(sqlite3_context*), &finish_data> m_finish;
};

enum class order { lt = -1, eq = 0, gt = 1 };

struct collation : slot<std::function<order(std::string_view, std::string_view)>> {
  explicit collation(activity& now)
      : m_compare(
            0, [this, &now](int left_size, const void* left, int right_size, const void* right) {
              // SQLite stands in the middle of a tree, which nobody may change now.
              now.comparing = true;
              const reset afterwards{now.comparing};
              return static_cast<int>(call(now)(text(left, left_size), text(right, right_size)));
            }) {}

  int enroll(sqlite3* db, const signature& name, bool known) {
    return sqlite3_create_collation_v2(db, name.name.c_str(), SQLITE_UTF8, m_compare.data(),
                                       known ? m_compare.function() : nullptr, nullptr);
  }

 private:
  struct reset {
    ~reset() { flag = false; }
    bool& flag;
  };
  static std::string_view text(const void* data, int size) {
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
  }

  upcall::c_callback<int(upcall::user_data, int, const void*, int, const void*)> m_compare;
};

}  // namespace sqlite

template <>
struct upcall::codec<sqlite::order>
    : upcall::enum_codec<sqlite::order, upcall::named<sqlite::order::lt, "lt">,
                         upcall::named<sqlite::order::eq, "eq">,
                         upcall::named<sqlite::order::gt, "gt">> {};
