#include "core/base/quote.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

TEST(QuoteTest, PlainTextAndUtf8PassThrough) {
  EXPECT_EQ(quote("model.norm.weight"), "'model.norm.weight'");
  EXPECT_EQ(quote(""), "''");
  EXPECT_EQ(printable("h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80"), "h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(QuoteTest, ControlsAndBadBytesAreEscaped) {
  EXPECT_EQ(printable("a\nb\x1B[2J"), "a\\x0Ab\\x1B[2J");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "\\x00x");
  EXPECT_EQ(printable("\x7F"), "\\x7F");
  EXPECT_EQ(printable("\xC2\x9B!"), "\\xC2\\x9B!");  // C1: a terminal takes it for ESC [
  EXPECT_EQ(printable("\xFF\xC3"), "\\xFF\\xC3");    // never valid; cut short
  EXPECT_EQ(printable("\xC2"), "\\xC2");
  EXPECT_EQ(printable("\xC0\x80"), "\\xC0\\x80");           // overlong
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xED\\xA0\\x80");  // surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");
}

TEST(QuoteTest, LongTextIsCut) {
  EXPECT_EQ(printable(std::string(500, 'x'), 10), std::string(10, 'x') + "...");
  EXPECT_EQ(printable(std::string(10, 'x'), 10), std::string(10, 'x'));
}

}  // namespace
}  // namespace graft
