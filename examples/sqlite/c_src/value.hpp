#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <upcall.hpp>
#include <variant>

// SQL values as Elixir terms: nil, integers, floats, strings, and {:blob, binary}.

namespace sqlite {

struct blob {
  std::string bytes;
};

/// A value on its way from Elixir to SQLite.
struct value : std::variant<std::monostate, std::int64_t, double, std::string, blob> {
  using variant::variant;
};

/// The arguments of an SQL function, on their way to Elixir: a list there.
struct arguments {
  int count;
  sqlite3_value** values;
};

inline const upcall::static_atom nil_atom{"nil"};
inline const upcall::static_atom true_atom{"true"};
inline const upcall::static_atom false_atom{"false"};
inline const upcall::static_atom blob_atom{"blob"};

/// Makes a term of what SQLite holds.
inline ERL_NIF_TERM encode(ErlNifEnv* env, sqlite3_value* from) {
  const auto encode_bytes = [&](const void* bytes) {
    // The size is asked for after the bytes, as getting those may convert them.
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(from));
    return upcall::encode(env, std::string_view(static_cast<const char*>(bytes), size));
  };
  switch (sqlite3_value_type(from)) {
    case SQLITE_INTEGER:
      return upcall::encode<std::int64_t>(env, sqlite3_value_int64(from));
    case SQLITE_FLOAT:
      return upcall::encode(env, sqlite3_value_double(from));
    case SQLITE_TEXT:
      return encode_bytes(sqlite3_value_text(from));
    case SQLITE_BLOB:
      return enif_make_tuple2(env, blob_atom.raw(), encode_bytes(sqlite3_value_blob(from)));
    default:
      return nil_atom.raw();
  }
}

template <class... Cases>
struct overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
overloaded(Cases...) -> overloaded<Cases...>;

/// Gives the SQL function that is running its result.
inline void set_result(sqlite3_context* of, const value& result) {
  const overloaded set{
      [&](std::monostate) { sqlite3_result_null(of); },
      [&](std::int64_t integer) { sqlite3_result_int64(of, integer); },
      [&](double real) { sqlite3_result_double(of, real); },
      [&](const std::string& text) {
        sqlite3_result_text64(of, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      },
      [&](const blob& data) {
        sqlite3_result_blob64(of, data.bytes.data(), data.bytes.size(), SQLITE_TRANSIENT);
      }};
  std::visit(set, result);
}

}  // namespace sqlite

template <>
struct upcall::codec<sqlite::value> {
  static sqlite::value decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    ErlNifSInt64 integer = 0;
    double real = 0;
    int size = 0;
    const ERL_NIF_TERM* parts = nullptr;
    if (enif_get_int64(env, raw, &integer)) return std::int64_t{integer};
    if (enif_get_double(env, raw, &real)) return real;
    if (enif_is_binary(env, raw)) return upcall::decode<std::string>(env, raw);
    if (raw == sqlite::nil_atom.raw()) return std::monostate{};
    // SQL has no booleans: it computes with 0 and 1.
    if (raw == sqlite::true_atom.raw()) return std::int64_t{1};
    if (raw == sqlite::false_atom.raw()) return std::int64_t{0};
    if (enif_get_tuple(env, raw, &size, &parts) && size == 2 &&
        parts[0] == sqlite::blob_atom.raw() && enif_is_binary(env, parts[1])) {
      return sqlite::blob{upcall::decode<std::string>(env, parts[1])};
    }
    throw upcall::bad_term(
        "an SQL value (nil, a boolean, an integer of at most 64 bits, a float, a string or "
        "{:blob, binary})",
        raw);
  }
};

template <>
struct upcall::codec<sqlite::arguments> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const sqlite::arguments& given) {
    ERL_NIF_TERM list = enif_make_list(env, 0);
    for (int i = given.count; i-- > 0;) {
      list = enif_make_list_cell(env, sqlite::encode(env, given.values[i]), list);
    }
    return list;
  }
};
