#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "format_error.hpp"
#include "record.hpp"
#include "tokenizer.hpp"

// UnicodeData.txt: one record a line, of 15 fields (https://www.unicode.org/reports/tr44/). What
// `parser` takes, `writer` gives back byte for byte; so both refuse what the other could not make.

namespace pipeline {

namespace format {

inline constexpr char separator = ';';
inline constexpr std::uint32_t last_code_point = 0x10FFFF;
/// Longer lines are refused, so that a file which has none needs no more memory.
inline constexpr std::size_t longest_line = 4096;
/// The fields in their order, as Elixir's struct calls them.
inline constexpr std::array field_names{
    "code",          "name",    "category",  "combining_class", "bidi_class",
    "decomposition", "decimal", "digit",     "numeric",         "mirrored?",
    "old_name",      "comment", "uppercase", "lowercase",       "titlecase"};

}  // namespace format

/// Throws `format_error` for a line that is too long.
inline void check_length(std::string_view text, const format_error::place& where) {
  constexpr std::size_t shown = 40;
  if (text.size() <= format::longest_line) return;
  throw format_error(where, "at most " + std::to_string(format::longest_line) + " bytes",
                     std::string(text.substr(0, shown)) + "...");
}

/// Reads the fields of a line. Throws: `format_error`.
class parser {
 public:
  explicit parser(const line& source) : m_line(source) {
    const format_error::place here{format_error::unit::line, source.number, nullptr};
    check_length(source.text, here);
    if (source.fields.size() == format::field_names.size()) return;
    throw format_error(here, std::to_string(format::field_names.size()) + " fields",
                       source.fields.size());
  }

  [[nodiscard]] std::uint32_t code() const { return code_point(0); }
  [[nodiscard]] std::string_view category() const { return m_line.fields[2]; }

  [[nodiscard]] record whole() const {
    return {.code = code(),
            .name = std::string(m_line.fields[1]),
            .category = std::string(category()),
            .combining_class = number(3, 255),
            .bidi_class = std::string(m_line.fields[4]),
            .decomposition = text(5),
            .decimal = digit(6),
            .digit = digit(7),
            .numeric = text(8),
            .is_mirrored = flag(9),
            .old_name = text(10),
            .comment = text(11),
            .uppercase = optional_code_point(12),
            .lowercase = optional_code_point(13),
            .titlecase = optional_code_point(14)};
  }

 private:
  [[noreturn]] void refuse(std::size_t field, const char* expected) const {
    throw format_error({format_error::unit::line, m_line.number, format::field_names.at(field)},
                       expected, std::string(m_line.fields[field]));
  }

  /// The whole of `text` as a number of that base.
  static std::optional<std::uint32_t> parse(std::string_view text, int base) {
    std::uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value, base);
    if (failure != std::errc{} || stopped != end) return std::nullopt;
    return value;
  }

  [[nodiscard]] std::uint32_t code_point(std::size_t field) const {
    const std::string_view text = m_line.fields[field];
    const auto is_lower = [](char each) { return each >= 'a'; };
    const bool is_padded = text.size() > 4 && text.front() == '0';
    if (text.size() >= 4 && !is_padded && std::ranges::none_of(text, is_lower)) {
      const std::optional<std::uint32_t> value = parse(text, 16);
      if (value && *value <= format::last_code_point) return *value;
    }
    refuse(field, "a code point of 4 to 6 hexadecimal digits");
  }
  [[nodiscard]] std::optional<std::uint32_t> optional_code_point(std::size_t field) const {
    if (m_line.fields[field].empty()) return std::nullopt;
    return code_point(field);
  }

  [[nodiscard]] std::uint8_t number(std::size_t field, std::uint8_t largest) const {
    const std::string_view text = m_line.fields[field];
    const bool is_padded = text.size() > 1 && text.front() == '0';
    const std::optional<std::uint32_t> value = is_padded ? std::nullopt : parse(text, 10);
    if (value && *value <= largest) return static_cast<std::uint8_t>(*value);
    refuse(field, largest == 9 ? "a digit" : "a number from 0 to 255");
  }
  [[nodiscard]] std::optional<std::uint8_t> digit(std::size_t field) const {
    if (m_line.fields[field].empty()) return std::nullopt;
    return number(field, 9);
  }

  [[nodiscard]] std::optional<std::string> text(std::size_t field) const {
    if (m_line.fields[field].empty()) return std::nullopt;
    return std::string(m_line.fields[field]);
  }

  [[nodiscard]] bool flag(std::size_t field) const {
    if (m_line.fields[field] == "Y") return true;
    if (m_line.fields[field] == "N") return false;
    refuse(field, "Y or N");
  }

  const line& m_line;
};

/// Appends records to a text, as lines.
class writer {
 public:
  /// Adds the next record. Throws: `format_error`; what the text was before is still there.
  void write(const record& source, std::string& text) {
    ++m_number;
    m_field = 0;
    m_line.clear();
    add_code_point(source.code);
    add_text(source.name);
    add_text(source.category);
    add_number(source.combining_class);
    add_text(source.bidi_class);
    add_optional(source.decomposition);
    add_digit(source.decimal);
    add_digit(source.digit);
    add_optional(source.numeric);
    add_text(source.is_mirrored ? "Y" : "N");
    add_optional(source.old_name);
    add_optional(source.comment);
    add_code_point(source.uppercase);
    add_code_point(source.lowercase);
    add_code_point(source.titlecase);
    m_line.pop_back();  // the last separator
    check_length(m_line, {format_error::unit::record, m_number, nullptr});
    text += m_line;
    text += '\n';
  }

 private:
  [[noreturn]] void refuse(const char* expected, format_error::value got) const {
    throw format_error({format_error::unit::record, m_number, format::field_names.at(m_field)},
                       expected, std::move(got));
  }
  void end_field() {
    m_line += format::separator;
    ++m_field;
  }

  void add_text(std::string_view value) {
    constexpr std::array ends{format::separator, '\n'};
    if (value.find_first_of(ends.data(), 0, ends.size()) != std::string_view::npos)
      refuse("a text without semicolons and newlines", std::string(value));
    m_line += value;
    end_field();
  }
  void add_optional(const std::optional<std::string>& value) {
    add_text(value ? std::string_view(*value) : std::string_view());
  }

  void add_code_point(std::optional<std::uint32_t> value) {
    if (!value) return end_field();
    if (*value > format::last_code_point) refuse("a code point of at most 0x10FFFF", *value);
    std::array<char, 8> digits{};
    char* const begin = digits.data();
    char* const end = std::to_chars(begin, begin + digits.size(), *value, 16).ptr;
    const auto count = static_cast<std::size_t>(end - begin);
    if (count < 4) m_line.append(4 - count, '0');
    std::transform(begin, end, std::back_inserter(m_line), [](char each) {
      return each >= 'a' ? static_cast<char>(each - 'a' + 'A') : each;
    });
    end_field();
  }

  void add_number(std::uint32_t value) {
    m_line += std::to_string(value);
    end_field();
  }
  void add_digit(std::optional<std::uint8_t> value) {
    if (!value) return end_field();
    if (*value > 9) refuse("a digit", *value);
    add_number(*value);
  }

  std::size_t m_number = 0;  // of the record
  std::size_t m_field = 0;   // of it
  std::string m_line;
};

}  // namespace pipeline
