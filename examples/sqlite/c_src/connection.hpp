#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>
#include <utility>
#include <vector>

#include "functions.hpp"
#include "statement.hpp"
#include "value.hpp"

namespace sqlite {

struct result {
  std::vector<std::string> columns;
  upcall::owned_term rows;
  std::int64_t changes;
  std::uint64_t upcalls;
};

/// A connection to a database, in an `upcall::exclusive`: one native call at a time uses it, and so
/// SQLite needs no mutex of its own. It must not have one either. SQLite would hold it throughout
/// `sqlite3_step`, and a call that is suspended in there goes on on another thread, which may not
/// unlock it. Hence SQLITE_OPEN_NOMUTEX.
class connection {
  template <class Slot>
  using slots = std::map<signature, Slot>;

 public:
  explicit connection(const std::string& path) {
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(c_text(path), &raw, flags, nullptr);
    m_db.reset(raw);
    if (code != SQLITE_OK) raise_error(raw, ": " + path);
    sqlite3_progress_handler(raw, 1000, m_progress.function(), m_progress.data());
    sqlite3_commit_hook(raw, m_commit.function(), m_commit.data());

    statement names(raw,
                    "SELECT name FROM pragma_function_list UNION "
                    "SELECT lower(name) FROM pragma_collation_list");
    while (names.step()) m_own_names.insert(names.text(0));
  }

  /// Runs one statement.
  result run(const std::string& sql, const std::vector<value>& parameters) {
    sqlite3* const db = usable();
    const std::int64_t changes = sqlite3_total_changes64(db);
    const std::uint64_t upcalls = m_activity.upcalls;
    statement todo(db, sql);
    todo.bind(parameters);
    // In an environment of their own: on the process heap they would be stale after an upcall.
    const auto env = std::make_shared<upcall::owned_env>();
    ERL_NIF_TERM rows = enif_make_list(env->get(), 0);
    while (todo.step()) rows = enif_make_list_cell(env->get(), todo.row(env->get()), rows);
    enif_make_reverse_list(env->get(), rows, &rows);
    return {todo.columns(), upcall::owned_term(env, rows), sqlite3_total_changes64(db) - changes,
            m_activity.upcalls - upcalls};
  }

  /// Gives SQL a function, until `function` is reset or the connection is closed.
  template <class Slot, class Function>
  Slot& define(const signature& name, Function function) {
    sqlite3* const db = usable();
    c_text(name.name);
    const auto [place, is_new] = std::get<slots<Slot>>(m_slots).try_emplace(name, m_activity);
    Slot& used = place->second;
    try {
      if (used.function && m_queries > 0) {
        refuse(name, "is taken: the connection has it, or a query that runs");
      }
      if (std::get<slots<scalar>>(m_slots).contains(name) &&
          std::get<slots<aggregate>>(m_slots).contains(name)) {
        refuse(name, "can't be both a function and an aggregate");
      }
      if (is_new && used.enroll(db, name, true) != SQLITE_OK) raise_error(db);
    } catch (...) {
      if (is_new) std::get<slots<Slot>>(m_slots).erase(place);
      throw;
    }
    used.function = std::move(function);
    return used;
  }

  void close() {
    if (sqlite3_close(usable()) != SQLITE_OK) raise_error(m_db.get());
    static_cast<void>(m_db.release());
    // A function that refers to the connection keeps it alive, and is kept by it.
    std::apply([](auto&... all) { (all.clear(), ...); }, m_slots);
  }

  /// The functions of one query, known to SQL for as long as this lives.
  class given {
   public:
    explicit given(connection& to) : m_to(to) { ++to.m_queries; }
    given(const given&) = delete;
    given& operator=(const given&) = delete;
    ~given() {
      for (const auto& forget : m_forget) forget();
      // While a statement runs, SQLite takes no function away: the outermost query tidies up.
      if (--m_to.m_queries == 0) m_to.dismiss_empty();
    }

    template <class Slot, class Function>
    void add(const signature& name, Function function) {
      if (m_to.m_own_names.contains(name.name)) {
        refuse(name, "is SQLite's own, and SQLite would not have it back after the query");
      }
      Slot& used = m_to.define<Slot>(name, std::move(function));
      m_forget.push_back([&used] { used.function.reset(); });
    }

   private:
    connection& m_to;
    std::vector<std::function<void()>> m_forget;
  };

 private:
  sqlite3* usable() const {
    if (m_activity.comparing) {
      throw std::invalid_argument("the function of a collation can't use the connection");
    }
    if (!m_db) throw std::invalid_argument("the connection is closed");
    return m_db.get();
  }

  [[noreturn]] static void refuse(const signature& name, const char* why) {
    throw std::invalid_argument("the name " + name.name + " " + why);
  }

  void dismiss_empty() noexcept {
    const auto dismiss_from = [this](auto& all) {
      for (auto each = all.begin(); each != all.end();) {
        auto& [name, used] = *each;
        const bool dismissed = !used.function && used.enroll(m_db.get(), name, false) == SQLITE_OK;
        each = dismissed ? all.erase(each) : std::next(each);
      }
    };
    std::apply([&](auto&... all) { (dismiss_from(all), ...); }, m_slots);
  }

  struct close_handle {
    void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
  };

  std::set<std::string> m_own_names;
  activity m_activity;
  int m_queries = 0;  // running, one inside a function of the other
  std::tuple<slots<scalar>, slots<aggregate>, slots<collation>> m_slots;
  // SQLite calls it now and then: others run meanwhile, and a query that nobody waits for ends.
  upcall::c_callback<int(upcall::user_data)> m_progress{1, [] { return upcall::give_time(), 0; }};
  // Answers 1, for a rollback, where another callback of the same step has failed.
  upcall::c_callback<int(upcall::user_data)> m_commit{1, [] { return 0; }};
  std::unique_ptr<sqlite3, close_handle> m_db;  // last, so that it is closed before they go
};

}  // namespace sqlite

template <>
struct upcall::codec<sqlite::result>
    : upcall::struct_codec<sqlite::result, "Elixir.Sqlite.Result",
                           upcall::field<&sqlite::result::columns, "columns">,
                           upcall::field<&sqlite::result::rows, "rows">,
                           upcall::field<&sqlite::result::changes, "changes">,
                           upcall::field<&sqlite::result::upcalls, "upcalls">> {};
