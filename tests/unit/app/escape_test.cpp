#include "app/escape.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace pilotfish::app {
namespace {

std::string text(std::string_view value) {
  std::string out;
  append_text_value(out, value);
  return out;
}

std::string json(std::string_view value) {
  std::string out;
  append_json_string(out, value);
  return out;
}

TEST(Escape, LeavesPlainValuesAsTheyAre) {
  EXPECT_EQ(text("/v1/path?x"), "/v1/path?x");
  EXPECT_EQ(text("10.0.0.1:80"), "10.0.0.1:80");
}

TEST(Escape, QuotesWhatCouldEndAValue) {
  EXPECT_EQ(text(""), "\"\"");
  EXPECT_EQ(text("a b"), "\"a b\"");
  EXPECT_EQ(text("a=b"), "\"a=b\"");
  EXPECT_EQ(text("say \"x\\\""), R"("say \"x\\\"")");
}

TEST(Escape, LetsNoControlByteThrough) {
  EXPECT_EQ(text("a\nlevel=error b"), R"("a\nlevel=error b")");
  EXPECT_EQ(text("\x1b[31m"), R"("\x1b[31m")");
  EXPECT_EQ(text(std::string_view("\0\x7f\r", 3)), R"("\x00\x7f\r")");
  std::string message;
  append_text_message(message, "two\nlines \"kept\"");
  EXPECT_EQ(message, "two\\nlines \"kept\"");
}

TEST(Escape, KeepsUtf8AndEscapesWhatIsNone) {
  EXPECT_EQ(text("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
  EXPECT_EQ(text("\xff"), R"("\xff")");
  EXPECT_EQ(text("\xc0\xaf"), R"("\xc0\xaf")") << "overlong";
  EXPECT_EQ(text("\xed\xa0\x80"), R"("\xed\xa0\x80")") << "a surrogate";
  EXPECT_EQ(text("\xc2\x9b"), R"("\xc2\x9b")") << "C1 controls drive terminals";
  EXPECT_EQ(text("\xe2\x82"), R"("\xe2\x82")") << "cut off";
}

TEST(Escape, MakesJsonThatParsesWhateverTheBytes) {
  for (int first = 0; first < 256; ++first) {
    const std::string value{'a', static_cast<char>(first), '\n', static_cast<char>(255 - first)};
    EXPECT_NO_THROW((void)boost::json::parse(json(value))) << first;
    EXPECT_EQ(clean_utf8(clean_utf8(value)), clean_utf8(value)) << first;
  }
  EXPECT_EQ(json("a\"b\n\xff"), R"("a\"b\u000a\u00ff")");
}

TEST(Escape, ReplacesInvalidBytesForSerializers) {
  EXPECT_EQ(clean_utf8("a\xff\x62"), "a\xef\xbf\xbd\x62");
  EXPECT_EQ(clean_utf8("\xe2\x82\xac"), "\xe2\x82\xac");
}

}  // namespace
}  // namespace pilotfish::app
