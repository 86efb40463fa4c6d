#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pipeline {

/// A line of the input, without its newline.
struct line {
  std::size_t number = 0;  ///< from 1
  std::string_view text;
  std::vector<std::string_view> fields;
};

/// Cuts text that comes in chunks of any size into lines, and these into fields.
///
///     lines.feed(chunk);
///     while (const line* each = lines.next()) use(*each);
///
/// It keeps what a chunk leaves of a line, and nothing else. After `finish`, what is left counts as
/// a line, whose newline is missing.
class tokenizer {
 public:
  explicit tokenizer(char separator) noexcept : m_separator(separator) {}

  /// Takes the next chunk. Lines that `next` has given are gone.
  void feed(std::string_view chunk) {
    m_text.erase(0, m_begin);
    m_searched -= m_begin;
    m_begin = 0;
    m_text += chunk;
  }

  /// Says that there are no more chunks.
  void finish() noexcept { m_is_finished = true; }

  /// Gives the next line, which is there until the next call of a function of this object; nothing
  /// where more must come first.
  const line* next() {
    const std::size_t end = find_end();
    if (end == std::string::npos) return nullptr;
    m_line.text = std::string_view(m_text).substr(m_begin, end - m_begin);
    m_begin = m_searched = std::min(end + 1, m_text.size());
    ++m_line.number;
    split();
    return &m_line;
  }

  /// Gives what has come of the line that `next` waits for the end of.
  [[nodiscard]] std::string_view unfinished() const noexcept {
    return std::string_view(m_text).substr(m_begin);
  }
  /// Says how many lines `next` has given.
  [[nodiscard]] std::size_t count() const noexcept { return m_line.number; }

 private:
  std::size_t find_end() noexcept {
    const std::size_t newline = m_text.find('\n', m_searched);
    if (newline != std::string::npos) return newline;
    // So that a line which comes byte by byte is not searched from its beginning each time.
    m_searched = m_text.size();
    return m_is_finished && m_begin < m_text.size() ? m_text.size() : newline;
  }

  void split() {
    std::string_view text = m_line.text;
    m_line.fields.clear();
    for (;;) {
      const std::size_t end = text.find(m_separator);
      m_line.fields.push_back(text.substr(0, end));
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  char m_separator;
  bool m_is_finished = false;
  std::string m_text;          // the rest of the chunks so far
  std::size_t m_begin = 0;     // of the next line in it
  std::size_t m_searched = 0;  // there is no newline between `m_begin` and here
  line m_line;
};

}  // namespace pipeline
