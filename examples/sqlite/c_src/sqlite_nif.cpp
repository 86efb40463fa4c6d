#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <vector>

#include "connection.hpp"
#include "functions.hpp"
#include "value.hpp"

// What lib/sqlite/native.ex declares.

namespace sqlite {

using database = upcall::resource<upcall::exclusive<connection>>;

database open(const std::string& path) {
  return upcall::make_resource<upcall::exclusive<connection>>(path);
}
UPCALL_NIF(open, upcall::dirty_io);

void close(const database& db) { db->lock()->close(); }
UPCALL_NIF(close, upcall::dirty_io);

using functions = std::vector<std::tuple<std::string, int, upcall::function<value(arguments)>>>;
using aggregates =
    std::vector<std::tuple<std::string, int, state, upcall::function<state(state, arguments)>,
                           upcall::function<value(state)>>>;
using collations = std::vector<
    std::tuple<std::string, upcall::function<order(std::string_view, std::string_view)>>>;

result query(const database& db, const std::string& sql, const std::vector<value>& parameters,
             const functions& scalars, const aggregates& groups, const collations& orders) {
  auto connection = db->lock();
  connection::given given(*connection);
  for (const auto& [name, arity, call] : scalars) given.add<scalar>({name, arity}, call);
  for (const auto& [name, arity, initial, step, finish] : groups) {
    const auto begin = [first = initial] { return first; };
    given.add<aggregate>({name, arity}, aggregate_functions{begin, step, finish});
  }
  for (const auto& [name, compare] : orders) given.add<collation>({name}, compare);
  return connection->run(sql, parameters);
}
// SQLite recurses as deep as a thread's stack allows; memory is taken as far as it is used.
constexpr upcall::stack_size deep{std::size_t{8} << 20};
UPCALL_NIF(query, deep);
// The same for statements that wait for the disk: on schedulers that may be kept waiting.
UPCALL_NIF_AS("execute", &query, deep, upcall::dirty_io);

void keep_function(const database& db, const std::string& name, int arity,
                   const upcall::kept_function<value(arguments)>& call) {
  db->lock()->define<scalar>({name, arity}, call);
}
UPCALL_NIF(keep_function);

void keep_aggregate(const database& db, const std::string& name, int arity,
                    const upcall::kept_function<upcall::term()>& initial,
                    const upcall::kept_function<state(state, arguments)>& step,
                    const upcall::kept_function<value(state)>& finish) {
  const auto begin = [initial] { return initial.here(); };
  db->lock()->define<aggregate>({name, arity}, aggregate_functions{begin, step, finish});
}
UPCALL_NIF(keep_aggregate);

void keep_collation(
    const database& db, const std::string& name,
    const upcall::kept_function<order(std::string_view, std::string_view)>& compare) {
  db->lock()->define<collation>({name}, compare);
}
UPCALL_NIF(keep_collation);

}  // namespace sqlite

UPCALL_INIT("Elixir.Sqlite.Native");
