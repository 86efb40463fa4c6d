#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "../../atom.hpp"
#include "../base/atom_text.hpp"
#include "../base/config.hpp"
#include "../base/utf8.hpp"
#include "term_measure.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// Prints terms nearly as `inspect` does. What is too long or too deep is cut, and not looked into.
class term_printer {
 public:
  explicit term_printer(std::size_t most_bytes) : m_most(most_bytes) {}

  term_printer& operator<<(std::string_view text) {
    m_text += text.substr(0, m_most);
    return *this;
  }
  term_printer& operator<<(ERL_NIF_TERM raw) {
    print(raw);
    return *this;
  }
  /// Puts the characters of a binary, without quotes. False where it is none.
  bool add_binary(ERL_NIF_TERM raw) {
    ErlNifBinary binary{};
    if (!enif_inspect_binary(m_env.get(), raw, &binary)) return false;
    *this << std::string_view(reinterpret_cast<const char*>(binary.data), binary.size);
    return true;
  }
  /// Puts the fields of a struct: `%Name{field: value}`.
  void print_map(ERL_NIF_TERM raw) {
    const ERL_NIF_TERM name = detail::field_of(raw, atoms::struct_);
    m_text += '%';
    if (name != 0) print(name);
    m_text += '{';
    ErlNifMapIterator entries;
    if (enif_map_iterator_create(m_env.get(), raw, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) {
      print_entries(entries, name != 0);
      enif_map_iterator_destroy(m_env.get(), &entries);
    }
    m_text += '}';
  }

  /// Gives the text, once.
  std::string take() {
    detail::cut_text(m_text, m_most);
    return std::move(m_text);
  }

 private:
  static constexpr unsigned most_depth = 20;
  static constexpr std::size_t most_integer = 33;  // words

  [[nodiscard]] bool is_full() const noexcept { return m_text.size() > m_most; }

  void print(ERL_NIF_TERM raw) {
    if (is_full()) return;
    if (m_depth == most_depth) {
      m_text += "…";
      return;
    }
    ++m_depth;
    switch (detail::kind_of(m_env.get(), raw)) {
      case term_kind::atom:
        print_atom(raw);
        break;
      case term_kind::integer:
        print_integer(raw);
        break;
      case term_kind::real:
        print_float(raw);
        break;
      case term_kind::bitstring:
        print_bitstring(raw);
        break;
      case term_kind::list:
        print_list(raw);
        break;
      case term_kind::tuple:
        print_tuple(raw);
        break;
      case term_kind::map:
        print_map(raw);
        break;
      case term_kind::native_record:
        print_record(raw);
        break;
      case term_kind::function:
      case term_kind::identifier:
        print_opaque(raw);
    }
    --m_depth;
  }

  /// Gives an atom without its colon or quotes.
  [[nodiscard]] std::string name_of(ERL_NIF_TERM raw) const {
    return detail::name_of_atom(m_env.get(), raw);
  }
  void print_atom(ERL_NIF_TERM raw) {
    constexpr std::string_view prefix = "Elixir.";
    const std::string name = name_of(raw);
    if (name.starts_with(prefix) && name.size() > prefix.size()) {
      *this << std::string_view(name).substr(prefix.size());
    } else if (name == "nil" || name == "true" || name == "false") {
      m_text += name;
    } else {
      m_text += ':';
      print_name(name);
    }
  }
  void print_name(std::string_view name) {
    if (detail::is_plain_name(name)) {
      *this << name;
    } else {
      print_quoted(name);
    }
  }

  void print_integer(ERL_NIF_TERM raw) {
    ErlNifSInt64 value = 0;
    ErlNifUInt64 large = 0;
    if (enif_get_int64(m_env.get(), raw, &value)) {
      m_text += std::to_string(value);
    } else if (enif_get_uint64(m_env.get(), raw, &large)) {
      m_text += std::to_string(large);
    } else if (term_measure(most_integer).add(raw)) {
      m_text += print_by_vm(raw);
    } else {  // takes the VM the square of its length
      m_text += "an integer of more than 2000 bits";
    }
  }
  void print_float(ERL_NIF_TERM raw) {
    double value = 0;
    enif_get_double(m_env.get(), raw, &value);
    std::array<char, 40> text{};
    // The shortest that is the same number.
    for (int digits = 15; digits <= 17; ++digits) {
      std::snprintf(text.data(), text.size(), "%.*g", digits, value);
      if (std::strtod(text.data(), nullptr) == value) break;
    }
    const std::string_view shown = text.data();
    m_text += shown;
    if (shown.find_first_of(".en") == std::string_view::npos) m_text += ".0";
  }
  void print_bitstring(ERL_NIF_TERM raw) {
    ErlNifBinary binary{};
    if (!enif_inspect_binary(m_env.get(), raw, &binary)) {
      m_text += "a bitstring";
      return;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(binary.data),
                                 std::min(binary.size, m_most));
    if (detail::is_printable(bytes)) return print_quoted(bytes);
    m_text += "<<";
    for (std::size_t at = 0; at < bytes.size() && !is_full(); ++at) {
      if (at > 0) m_text += ", ";
      m_text += std::to_string(static_cast<unsigned char>(bytes[at]));
    }
    m_text += ">>";
  }
  void print_quoted(std::string_view bytes) {
    m_text += '"';
    for (const char each : bytes) {
      if (is_full()) return;
      if (each == '"' || each == '\\') m_text += '\\';
      if (each == '\n') {
        m_text += "\\n";
      } else if (each == '\t') {
        m_text += "\\t";
      } else if (each == '\r') {
        m_text += "\\r";
      } else {
        m_text += each;
      }
    }
    m_text += '"';
  }

  void print_list(ERL_NIF_TERM rest) {
    m_text += '[';
    ERL_NIF_TERM head = 0;
    for (bool is_first = true; enif_get_list_cell(m_env.get(), rest, &head, &rest);
         is_first = false) {
      if (is_full()) return;
      if (!is_first) m_text += ", ";
      print(head);
    }
    if (!enif_is_empty_list(m_env.get(), rest)) {
      m_text += " | ";
      print(rest);
    }
    m_text += ']';
  }
  void print_tuple(ERL_NIF_TERM raw) {
    int arity = 0;
    const ERL_NIF_TERM* elements = nullptr;
    enif_get_tuple(m_env.get(), raw, &arity, &elements);
    m_text += '{';
    for (int at = 0; at < arity && !is_full(); ++at) {
      if (at > 0) m_text += ", ";
      print(elements[at]);
    }
    m_text += '}';
  }
  void print_entries(ErlNifMapIterator& entries, bool is_struct) {
    ERL_NIF_TERM key = 0;
    ERL_NIF_TERM value = 0;
    bool is_first = true;
    while (!is_full() && enif_map_iterator_get_pair(m_env.get(), &entries, &key, &value)) {
      enif_map_iterator_next(m_env.get(), &entries);
      const bool is_hidden = is_struct && (enif_is_identical(key, atoms::struct_.raw()) ||
                                           enif_is_identical(key, atoms::exception.raw()));
      if (is_hidden) continue;
      if (!is_first) m_text += ", ";
      is_first = false;
      print_key(key);
      print(value);
    }
  }
  void print_key(ERL_NIF_TERM key) {
    if (enif_is_atom(m_env.get(), key)) {
      print_name(name_of(key));
      m_text += ": ";
    } else {
      print(key);
      m_text += " => ";
    }
  }

  void print_opaque(ERL_NIF_TERM raw) {
    const std::string shown = print_by_vm(raw);
    if (shown.starts_with('<')) m_text += "#PID";
    *this << shown;
  }
  // The VM prints as much of a term as is asked for: one more each time, so that nothing of what a
  // record holds, which may be of any size, is among it before the brace is that begins it.
  void print_record(ERL_NIF_TERM raw) {
    std::array<char, 2200> text{};  // more than two names take
    std::string_view name;
    for (int most = 1; name.size() <= m_most; ++most) {
      std::array<char, 16> format{};
      std::snprintf(format.data(), format.size(), "%%.%dT", most);
      enif_snprintf(text.data(), text.size(), format.data(), raw);
      const std::string_view printed = text.data();
      name = printed.substr(0, term_printer::end_of_names(printed));
      if (name.size() < printed.size()) break;
    }
    *this << name << "{…}";
  }
  // Where the first brace is that is no part of a name in quotes.
  static std::size_t end_of_names(std::string_view printed) noexcept {
    bool is_quoted = false;
    for (std::size_t at = 0; at < printed.size(); ++at) {
      if (printed[at] == '\\')
        ++at;
      else if (printed[at] == '\'')
        is_quoted = !is_quoted;
      else if (printed[at] == '{' && !is_quoted)
        return at;
    }
    return printed.size();
  }
  // What is no part of others: the VM prints it in no time.
  UPCALL_NOINLINE static std::string print_by_vm(ERL_NIF_TERM raw) {
    std::array<char, 1100> text{};
    enif_snprintf(text.data(), text.size(), "%T", raw);
    return text.data();
  }

  owned_env m_env;  // of what reading binaries may take
  std::size_t m_most;
  unsigned m_depth = 0;
  std::string m_text;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
