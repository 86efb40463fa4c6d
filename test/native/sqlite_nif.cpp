// A minimal binding: an SQL function that is an Elixir function, over a connection that SQLite does
// not guard.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

namespace {

using sql_function = upcall::function<std::int64_t(std::int64_t)>;

struct closer {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using database = std::unique_ptr<sqlite3, closer>;
using statement = std::unique_ptr<sqlite3_stmt, closer>;

class connection {
 public:
  explicit connection(const std::string& path) {
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    m_database.reset(opened);
    check(status);
    check(sqlite3_create_function_v2(opened, "f", 1, SQLITE_UTF8, m_callback.data(),
                                     m_callback.function(), nullptr, nullptr, nullptr));
  }

  // The first column of each row. `f` is what SQL calls by that name, for this statement.
  std::vector<std::int64_t> query(const std::string& sql, sql_function& f) {
    const used_function in_use(m_function, &f);
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v2(m_database.get(), sql.c_str(), -1, &prepared, nullptr));
    const statement owned(prepared);
    std::vector<std::int64_t> column;
    for (;;) {
      const int status = upcall::through_c([&] { return sqlite3_step(prepared); });
      if (status == SQLITE_DONE) return column;
      if (status != SQLITE_ROW) check(status);
      column.push_back(sqlite3_column_int64(prepared, 0));
    }
  }

  [[nodiscard]] std::int64_t open_statements() const noexcept {
    std::int64_t count = 0;
    sqlite3_stmt* each = sqlite3_next_stmt(m_database.get(), nullptr);
    for (; each != nullptr; each = sqlite3_next_stmt(m_database.get(), each)) ++count;
    return count;
  }

 private:
  // The innermost statement's, where a function of one makes another.
  struct used_function {
    used_function(sql_function*& in_place_of, sql_function* used) noexcept
        : place(in_place_of), outer(std::exchange(in_place_of, used)) {}
    used_function(const used_function&) = delete;
    used_function& operator=(const used_function&) = delete;
    ~used_function() { place = outer; }
    sql_function*& place;
    sql_function* outer;
  };

  void check(int status) const {
    if (status != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(m_database.get()));
  }

  database m_database;
  sql_function* m_function = nullptr;
  upcall::c_callback<void(sqlite3_context*, int, sqlite3_value**), &sqlite3_user_data> m_callback{
      [](sqlite3_context* context, int, sqlite3_value**) {
        sqlite3_result_error(context, "the function failed", -1);
      },
      [this](sqlite3_context* context, int, sqlite3_value** arguments) {
        sqlite3_result_int64(context, (*m_function)(sqlite3_value_int64(arguments[0])));
      }};
};

using shared_connection = upcall::exclusive<connection>;
using handle = upcall::resource<shared_connection>;

handle open(std::string path) { return upcall::make_resource<shared_connection>(path); }
UPCALL_NIF(open, upcall::dirty_io);

std::vector<std::int64_t> query(handle shared, std::string sql, sql_function f) {
  return shared->lock()->query(sql, f);
}
UPCALL_NIF(query);

std::int64_t open_statements(handle shared) { return shared->lock()->open_statements(); }
UPCALL_NIF(open_statements);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Sqlite");
