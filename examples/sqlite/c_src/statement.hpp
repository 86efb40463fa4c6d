#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <upcall.hpp>
#include <variant>
#include <vector>

#include "value.hpp"

namespace sqlite {

/// Raises `Sqlite.Error`, which takes the text apart (lib/sqlite/error.ex).
[[noreturn]] inline void raise_error(int code, const std::string& message) {
  upcall::raise("Elixir.Sqlite.Error", std::pair{"code", code}, std::pair{"message", message});
}

/// Raises `Sqlite.Error` with what SQLite says of its last failure.
[[noreturn]] inline void raise_error(sqlite3* db, const std::string& where = "") {
  raise_error(sqlite3_extended_errcode(db), sqlite3_errmsg(db) + where);
}

/// Gives the text to C, which would stop reading at a zero byte.
inline const char* c_text(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    throw std::invalid_argument("expected a text without zero bytes, got one with a zero byte");
  }
  return text.c_str();
}

/// One SQL statement, finalised when it is destroyed, whatever happened before.
class statement {
 public:
  statement(sqlite3* db, const std::string& sql) : m_db(db) {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(db, c_text(sql), -1, &raw, &rest) != SQLITE_OK) {
      const int place = sqlite3_error_offset(db);
      raise_error(db, place < 0 ? "" : " (at byte " + std::to_string(place) + " of the SQL text)");
    }
    m_raw.reset(raw);
    // Threads of SQLite's, for sorting, could not call Elixir. `PRAGMA threads` has just set this.
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    if (raw == nullptr) throw std::invalid_argument("expected an SQL statement, got none");
    if (std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      throw std::invalid_argument(std::string("expected one SQL statement, got more: ") + rest);
    }
  }

  /// Gives the statement's `?` their values. These must live as long as it: they are not copied.
  void bind(const std::vector<value>& parameters) {
    sqlite3_stmt* const raw = m_raw.get();
    const auto expected = static_cast<std::size_t>(sqlite3_bind_parameter_count(raw));
    if (parameters.size() != expected) {
      throw std::invalid_argument("the statement takes " + std::to_string(expected) +
                                  " parameters, got: " + std::to_string(parameters.size()));
    }
    int place = 0;
    const overloaded bind_one{
        [&](std::monostate) { return sqlite3_bind_null(raw, place); },
        [&](std::int64_t integer) { return sqlite3_bind_int64(raw, place, integer); },
        [&](double real) { return sqlite3_bind_double(raw, place, real); },
        [&](const std::string& text) {
          return sqlite3_bind_text64(raw, place, text.data(), text.size(), SQLITE_STATIC,
                                     SQLITE_UTF8);
        },
        [&](const blob& data) {
          return sqlite3_bind_blob64(raw, place, data.bytes.data(), data.bytes.size(),
                                     SQLITE_STATIC);
        }};
    for (const value& each : parameters) {
      ++place;
      if (std::visit(bind_one, each) != SQLITE_OK) raise_error(m_db);
    }
  }

  /// Goes on to the next row, if there is one. Lets pass what an Elixir function raised.
  bool step() {
    int code = SQLITE_OK;
    try {
      upcall::through_c([&] { code = sqlite3_step(m_raw.get()); });
    } catch (...) {
      // A collation has no way to tell SQLite of a failure: SQLite went on, in an order that was
      // made up, and may have written an index in it. Outside of a transaction the commit hook has
      // undone that; inside of one this does.
      const bool unaware = code == SQLITE_ROW || code == SQLITE_DONE;
      if (unaware && !sqlite3_stmt_readonly(m_raw.get()) && !sqlite3_get_autocommit(m_db)) {
        sqlite3_exec(m_db, "ROLLBACK", nullptr, nullptr, nullptr);
      }
      throw;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) raise_error(m_db);
    return code == SQLITE_ROW;
  }

  /// Makes a list of the row's values.
  ERL_NIF_TERM row(ErlNifEnv* env) {
    ERL_NIF_TERM list = enif_make_list(env, 0);
    for (int i = sqlite3_column_count(m_raw.get()); i-- > 0;) {
      // To be read only where SQLite uses no mutex, which is so: see `connection`.
      list = enif_make_list_cell(env, encode(env, sqlite3_column_value(m_raw.get(), i)), list);
    }
    return list;
  }

  const char* text(int column) {
    return reinterpret_cast<const char*>(sqlite3_column_text(m_raw.get(), column));
  }

  std::vector<std::string> columns() {
    std::vector<std::string> names;
    for (int i = 0; i < sqlite3_column_count(m_raw.get()); ++i) {
      names.emplace_back(sqlite3_column_name(m_raw.get(), i));
    }
    return names;
  }

 private:
  struct finalize {
    void operator()(sqlite3_stmt* raw) const noexcept { sqlite3_finalize(raw); }
  };

  sqlite3* m_db;
  std::unique_ptr<sqlite3_stmt, finalize> m_raw;
};

}  // namespace sqlite
