#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "config.hpp"

namespace upcall UPCALL_HIDDEN {
namespace detail {

constexpr bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char each) { return static_cast<unsigned char>(each) < 0x80; });
}

/// Whether a byte goes on with a character of UTF-8.
constexpr bool continues_character(char byte) noexcept {
  constexpr unsigned char mark = 0xC0;
  constexpr unsigned char continuation = 0x80;
  return (static_cast<unsigned char>(byte) & mark) == continuation;
}

/// Cuts what is longer than `most` bytes, where a character begins.
inline void cut_text(std::string& text, std::size_t most) {
  constexpr std::string_view ellipsis = "…";
  if (text.size() <= most) return;
  most -= std::min(most, ellipsis.size());
  while (most > 0 && continues_character(text[most])) --most;
  text.resize(most);
  text += ellipsis;
}

/// Gives how many bytes a character of UTF-8 has that begins so; 0 where none does.
constexpr std::size_t length_of_character(unsigned char lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

/// Whether two bytes begin no character, though each could be of one: a shorter one would do, or it
/// is a surrogate, or beyond the last.
constexpr bool begin_no_character(unsigned char lead, unsigned char second) noexcept {
  return (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
         (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90);
}

/// Whether bytes are UTF-8.
constexpr bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto lead = static_cast<unsigned char>(bytes.front());
    const std::size_t length = detail::length_of_character(lead);
    if (length == 0 || length > bytes.size()) return false;
    const std::string_view rest = bytes.substr(1, length - 1);
    if (!std::all_of(rest.begin(), rest.end(), continues_character)) return false;
    if (length > 1 && detail::begin_no_character(lead, static_cast<unsigned char>(rest.front())))
      return false;
    bytes.remove_prefix(length);
  }
  return true;
}

/// Whether bytes are UTF-8, of which the last character may be cut, and nothing but text.
inline bool is_printable(std::string_view bytes) noexcept {
  constexpr std::string_view white = "\n\t\r";
  constexpr char delete_character = 0x7F;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if (lead < ' ' && white.find(bytes[at]) == std::string_view::npos) return false;
    const std::size_t length = detail::length_of_character(lead);
    if (length == 0 || bytes[at] == delete_character) return false;
    const std::string_view rest = bytes.substr(at + 1, length - 1);
    if (!std::all_of(rest.begin(), rest.end(), continues_character)) return false;
    at += length;
  }
  return true;
}

inline std::string utf8_of_latin(std::string_view latin) {
  std::string text;
  for (const char each : latin) {
    const auto character = static_cast<unsigned char>(each);
    if (character < 0x80) {
      text += each;
    } else {
      text += static_cast<char>(0xC0U | (character >> 6U));
      text += static_cast<char>(0x80U | (character & 0x3FU));
    }
  }
  return text;
}

/// Whether Elixir writes an atom of that name without quotes.
inline bool is_plain_name(std::string_view name) noexcept {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (name.empty() || !is_letter(name.front())) return false;
  if (name.back() == '?' || name.back() == '!') name.remove_suffix(1);
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '@'; });
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN
