// Encoding, decoding and streaming against what the Python package gives for the same tokenizer.json.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/text/tokenizer_cases.h"

namespace graft::testing {
namespace {

class TokenizerTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Kinds, TokenizerTest, ::testing::ValuesIn(tokenizer_names()),
                         [](const auto& kind) { return kind.param; });

TEST_P(TokenizerTest, VocabularyIsThatOfPython) {
  const auto tokenizer = open_tokenizer(GetParam());
  const auto expected = expected_of(GetParam());
  EXPECT_EQ(tokenizer->vocab_size(), expected.at("vocab_size").get<int64_t>());
  ASSERT_FALSE(expected.at("pieces").empty());
  for (const auto& entry : expected.at("pieces")) {
    const auto id = entry.at(0).get<int64_t>();
    const auto piece = entry.at(1).get<std::string>();
    EXPECT_EQ(tokenizer->piece(id), piece) << id;
    EXPECT_EQ(tokenizer->id_of(piece), id) << piece;
    EXPECT_LT(id, tokenizer->id_bound());
  }
}

TEST_P(TokenizerTest, EncodesAsPython) {
  const auto tokenizer = open_tokenizer(GetParam());
  const auto expected = expected_of(GetParam());
  ASSERT_FALSE(expected.at("encode").empty());
  for (const auto& entry : expected.at("encode")) {
    const auto text = entry.at(0).get<std::string>();
    EXPECT_EQ(tokenizer->encode(text, entry.at(1).get<bool>()), entry.at(2).get<std::vector<int64_t>>()) << text;
  }
}

TEST_P(TokenizerTest, TruncatesAsPython) {
  const auto tokenizer = open_tokenizer(GetParam());
  const auto expected = expected_of(GetParam());
  ASSERT_FALSE(expected.at("truncate").empty());
  for (const auto& entry : expected.at("truncate")) {
    const auto text = entry.at(0).get<std::string>();
    const auto most = entry.at(2).get<int64_t>();
    const std::vector<int64_t> ids = tokenizer->encode(text, entry.at(1).get<bool>(), most);
    EXPECT_LE(static_cast<int64_t>(ids.size()), most);
    EXPECT_EQ(ids, entry.at(3).get<std::vector<int64_t>>()) << most << " of " << text;
  }
}

TEST_P(TokenizerTest, DecodesAndStreamsAsPython) {
  const auto tokenizer = open_tokenizer(GetParam());
  const auto expected = expected_of(GetParam());
  ASSERT_FALSE(expected.at("decode").empty());
  for (const auto& entry : expected.at("decode")) {
    const auto ids = entry.at(0).get<std::vector<int64_t>>();
    const bool skip_special = entry.at(1).get<bool>();
    if (entry.at(2).is_null()) {  // the package panics: the text is shorter than what its decoder strips
      std::string text;
      if (status_of([&] { text = tokenizer->decode(ids, skip_special); }) != StatusCode::internal) {
        EXPECT_EQ(text, "") << "no tokens at all";
      }
      continue;
    }
    const auto text = entry.at(2).get<std::string>();
    EXPECT_EQ(tokenizer->decode(ids, skip_special), text) << ::testing::PrintToString(ids);
    StreamDecoder decoder(tokenizer, skip_special);
    EXPECT_EQ(decode_as_stream(decoder, ids), text) << ::testing::PrintToString(ids);
  }
}

TEST_P(TokenizerTest, StreamsRandomTextsAsTheyAreDecoded) {
  const auto tokenizer = open_tokenizer(GetParam());
  std::mt19937 random(20240611);
  StreamDecoder decoder(tokenizer, false);  // one for all: flush makes it as new
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(random);
    ASSERT_TRUE(is_utf8(text));
    const std::vector<int64_t> ids = tokenizer->encode(text, i % 2 == 0);
    std::string whole;
    if (status_of([&] { whole = tokenizer->decode(ids, false); }) != StatusCode::ok) {
      ASSERT_EQ(GetParam(), "strip_both_ends") << text;  // shorter than what is stripped
      continue;
    }
    ASSERT_EQ(decode_as_stream(decoder, ids), whole) << text;
  }
}

TEST_P(TokenizerTest, StreamsRandomIdsAsTheyAreDecoded) {
  const auto tokenizer = open_tokenizer(GetParam());
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::vector<int64_t> ids(random() % 40);
    for (int64_t& id : ids) id = static_cast<int64_t>(random() % static_cast<uint64_t>(tokenizer->id_bound()));
    const bool skip_special = i % 2 == 0;
    std::string whole;
    if (status_of([&] { whole = tokenizer->decode(ids, skip_special); }) != StatusCode::ok) continue;
    StreamDecoder decoder(tokenizer, skip_special);
    ASSERT_EQ(decode_as_stream(decoder, ids), whole) << ::testing::PrintToString(ids);
  }
}

TEST_P(TokenizerTest, RefusesIdsOutOfRange) {
  const auto tokenizer = open_tokenizer(GetParam());
  for (const int64_t id : {int64_t{-1}, tokenizer->id_bound(), int64_t{1} << 32, INT64_MAX, INT64_MIN}) {
    std::string message;
    EXPECT_EQ(status_of([&] { tokenizer->decode({0, id}, true); }, &message), StatusCode::invalid_argument);
    EXPECT_NE(message.find(std::to_string(id)), std::string::npos) << message;
    EXPECT_NE(message.find(std::to_string(tokenizer->vocab_size())), std::string::npos) << message;
    EXPECT_EQ(status_of([&] { tokenizer->piece(id); }), StatusCode::invalid_argument);
    StreamDecoder decoder(tokenizer, true);
    EXPECT_EQ(status_of([&] { decoder.push(id); }), StatusCode::invalid_argument);
    EXPECT_EQ(status_of([&] { decoder.push(0); }), StatusCode::ok) << "the stream must stay usable";
  }
}

TEST_P(TokenizerTest, RefusesTextThatIsNotUtf8) {
  const auto tokenizer = open_tokenizer(GetParam());
  for (const char* text : {"ab\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "caf\xC3"}) {
    std::string message;
    EXPECT_EQ(status_of([&] { tokenizer->encode(text, true); }, &message), StatusCode::invalid_argument);
    EXPECT_NE(message.find("UTF-8"), std::string::npos) << message;
    EXPECT_EQ(status_of([&] { tokenizer->id_of(text); }), StatusCode::invalid_argument);
  }
}

TEST_P(TokenizerTest, ServesManyThreads) {
  const auto tokenizer = open_tokenizer(GetParam());
  const auto cases = expected_of(GetParam()).at("encode");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const auto& entry : cases) {
        if (tokenizer->encode(entry.at(0).get<std::string>(), entry.at(1).get<bool>()) !=
            entry.at(2).get<std::vector<int64_t>>())
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tokenizer, TextWithNulIsTextLikeAnyOther) {
  const auto tokenizer = open_tokenizer("byte_level");
  const std::string text("a\0b", 3);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, true), false), text);
}

TEST(Tokenizer, TruncationKeepsTheSpecialTokens) {
  const auto tokenizer = open_tokenizer("wordpiece");
  const int64_t cls = tokenizer->id_of("[CLS]");
  const int64_t sep = tokenizer->id_of("[SEP]");
  EXPECT_EQ(tokenizer->encode("the quick brown fox", true, 2), (std::vector<int64_t>{cls, sep}));
  EXPECT_EQ(tokenizer->encode("the quick brown fox", true, 1000), tokenizer->encode("the quick brown fox", true));
  EXPECT_EQ(tokenizer->encode("the quick brown fox", false, 1).size(), 1u);
  std::string message;
  EXPECT_EQ(status_of([&] { tokenizer->encode("a", true, 1); }, &message), StatusCode::invalid_argument);
  EXPECT_NE(message.find("max_tokens"), std::string::npos) << message;
  EXPECT_EQ(status_of([&] { tokenizer->encode("a", true, -1); }, &message), StatusCode::invalid_argument);
  EXPECT_NE(message.find("max_tokens"), std::string::npos) << message;
}

TEST(Tokenizer, UnknownPieceIsNotFound) {
  EXPECT_EQ(status_of([] { open_tokenizer("byte_level")->id_of("no such piece"); }), StatusCode::not_found);
}

TEST(Tokenizer, DecodesNothingToNothing) {
  for (const std::string& name : tokenizer_names()) {
    EXPECT_EQ(open_tokenizer(name)->decode({}, true), "") << name;
    StreamDecoder decoder(open_tokenizer(name), true);
    EXPECT_EQ(decoder.flush(), "") << name;
  }
}

TEST(StreamDecoder, GivesCharactersAsSoonAsTheyAreWhole) {
  const auto tokenizer = open_tokenizer("byte_level");
  StreamDecoder decoder(tokenizer, true);
  // U+1F600 as four byte tokens: F0 9F 98 80 in the printable alphabet.
  EXPECT_EQ(decoder.push(tokenizer->id_of("a")), "a");
  EXPECT_EQ(decoder.push(tokenizer->id_of("ð")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("Ł")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("ĺ")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("Ģ")), "\U0001F600");
  EXPECT_EQ(decoder.push(tokenizer->id_of("ð")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("a")), "\uFFFDa");
  EXPECT_EQ(decoder.push(tokenizer->id_of("ð")), "");
  EXPECT_EQ(decoder.flush(), "\uFFFD");
  EXPECT_EQ(decoder.flush(), "");
}

TEST(StreamDecoder, GivesARunOfByteTokensAtItsEnd) {
  const auto tokenizer = open_tokenizer("sentencepiece_bpe");
  StreamDecoder decoder(tokenizer, true);
  EXPECT_EQ(decoder.push(tokenizer->id_of("▁")), "") << "the leading space";
  EXPECT_EQ(decoder.push(tokenizer->id_of("<0xE2>")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("<0x82>")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("<0xAC>")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("a")), "€a");
  EXPECT_EQ(decoder.push(tokenizer->id_of("<0xE2>")), "");
  EXPECT_EQ(decoder.push(tokenizer->id_of("<0x82>")), "");
  EXPECT_EQ(decoder.flush(), "\uFFFD\uFFFD");
}

TEST(StreamDecoder, OutlivesEverybodyElsesTokenizer) {
  auto tokenizer = open_tokenizer("unigram");
  const std::vector<int64_t> ids = tokenizer->encode("The quick brown fox", true);
  const std::string text = tokenizer->decode(ids, true);
  StreamDecoder decoder(std::move(tokenizer), true);
  EXPECT_EQ(decode_as_stream(decoder, ids), text);
}

TEST(StreamDecoder, GivesTenThousandRandomTextsBackWhole) {
  const auto tokenizer = open_tokenizer("byte_level");
  std::mt19937 random(10000);
  StreamDecoder decoder(tokenizer, false);
  for (int i = 0; i < 10000; ++i) {
    const std::string text = random_text(random);
    ASSERT_EQ(decode_as_stream(decoder, tokenizer->encode(text, false)), text) << i;
  }
}

/// With work that grew with the length of the stream, this would take hours.
TEST(StreamDecoder, LongStreamsTakeLinearTime) {
  for (const char* name : {"byte_level", "sentencepiece_bpe", "wordpiece", "bpe_suffix", "whole_text"}) {
    const auto tokenizer = open_tokenizer(name);
    const std::vector<int64_t> once = tokenizer->encode("a quick brown fox, 敏捷 ", false);
    std::vector<int64_t> ids;
    while (ids.size() < 200000) ids.insert(ids.end(), once.begin(), once.end());
    StreamDecoder decoder(tokenizer, true);
    EXPECT_EQ(decode_as_stream(decoder, ids), tokenizer->decode(ids, true)) << name;
  }
}

}  // namespace
}  // namespace graft::testing
