#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace pipeline {

/// Says what is wrong with a line that was read, or with a record that is to be written: in Elixir,
/// a `%Pipeline.FormatError{}`.
class format_error : public std::runtime_error {
 public:
  enum class unit { line, record };
  struct place {
    format_error::unit unit;
    std::size_t number;  ///< from 1
    const char* field;   ///< null for the whole
  };
  using value = std::variant<std::uint64_t, std::string>;

  format_error(place where, std::string expected, value got)
      : std::runtime_error("expected " + expected),
        m_where(where),
        m_expected(std::move(expected)),
        m_got(std::move(got)) {}

  [[nodiscard]] const place& where() const noexcept { return m_where; }
  [[nodiscard]] const std::string& expected() const noexcept { return m_expected; }
  [[nodiscard]] const value& got() const noexcept { return m_got; }

 private:
  place m_where;
  std::string m_expected;
  value m_got;
};

}  // namespace pipeline
