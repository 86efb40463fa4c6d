#include <gtest/gtest.h>

#include <string_view>
#include <upcall/detail/base/utf8.hpp>

namespace {

using upcall::detail::is_ascii;
using upcall::detail::is_utf8;
using namespace std::string_view_literals;

TEST(Utf8, IsWhatItsCharactersAre) {
  for (const std::string_view text :
       {""sv, "a\0b"sv, "größe"sv, "∞"sv, "😀"sv, "\xC2\x80"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv,
        "\xEE\x80\x80"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, IsNoneWhereACharacterIsCut) {
  for (const std::string_view text :
       {"\xC3"sv, "a\xE2\x88"sv, "\xF0\x9F\x98"sv, "\xC3gr"sv, "\xE2\x88z"sv, "\x80"sv}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, IsNoneWithWhatIsNoCharacter) {
  for (const std::string_view text : {"gr\xF6\xDF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv,
                                      "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF0\x8F\xBF\xBF"sv,
                                      "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, IsAsciiWhereNoByteIsAbove127) {
  EXPECT_TRUE(is_ascii("\0 a\x7F"sv));
  EXPECT_FALSE(is_ascii("\x80"sv));
  EXPECT_FALSE(is_ascii("ö"sv));
}

}  // namespace
