#include "core/generation/choice/stop_text.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

struct Seen {
  std::string text;
  bool found = false;
  size_t most_held = 0;
};

/// Feeds `text` in pieces of `size` bytes.
Seen feed(const std::vector<std::string>& stops, const std::string& text, size_t size) {
  StopText stop(stops);
  Seen seen;
  for (size_t at = 0; at < text.size() && !stop.found(); at += size) {
    seen.text += stop.push(text.substr(at, size));
    seen.most_held = std::max(seen.most_held, std::min(at + size, text.size()) - seen.text.size());
  }
  seen.found = stop.found();
  seen.text += stop.flush();
  return seen;
}

TEST(StopText, EndsBeforeTheStopHoweverItIsCut) {
  for (size_t size = 1; size < 12; ++size) {
    const Seen seen = feed({"</end>"}, "one </e two </end> three", size);
    EXPECT_TRUE(seen.found) << size;
    EXPECT_EQ(seen.text, "one </e two ") << size;
  }
}

TEST(StopText, WithoutAStopEverythingComesBack) {
  for (size_t size = 1; size < 12; ++size) {
    const Seen seen = feed({"</end>", "ababc"}, "abab </en ababab </end", size);
    EXPECT_FALSE(seen.found);
    EXPECT_EQ(seen.text, "abab </en ababab </end") << size;
  }
}

TEST(StopText, OverlappingBeginningsAreFound) {
  EXPECT_EQ(feed({"aab"}, "aaaab", 1).text, "aa");
  EXPECT_EQ(feed({"abcd", "c"}, "xabc", 1).text, "xab") << "the first that is complete";
}

TEST(StopText, HoldsBackNoMoreThanAStopCouldNeed) {
  EXPECT_EQ(feed({"\n\n"}, "many lines\nof text\n", 1).most_held, 1u);
  EXPECT_EQ(feed({}, "nothing is held", 3).most_held, 0u);
}

}  // namespace
}  // namespace graft
