// graft tokenize against the Python package, on the whole torture text of tests/text/make_tokenizers.py.
#include "support.h"

namespace graft_cli_test {
namespace {

class Tokenize : public testing::TestWithParam<const char*> {};

TEST_P(Tokenize, GivesPythonsIdsOfTheTortureText) {
  const std::filesystem::path folder =
      std::filesystem::path(required_environment("GRAFT_TEST_TOKENIZERS")) / GetParam();
  const Json whole = Json::parse(read_file(folder / "expected.json")).at("whole");
  const TemporaryDirectory directory;
  std::ofstream(directory.file("text"), std::ios::binary) << whole[0].get<std::string>() << '\n';
  const Result result = run_cli({"tokenize", folder.string(), "--json"}, "cat " + quote(directory.file("text")) + " |");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json found = Json::parse(result.out);
  EXPECT_EQ(found.at("tokens"), whole[1]);
  EXPECT_GT(found.at("tokens").size(), 100u);
  EXPECT_EQ(found.at("tokens").size(), found.at("pieces").size());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Tokenize, testing::Values("byte_level", "sentencepiece_bpe", "unigram", "wordpiece"));

}  // namespace
}  // namespace graft_cli_test
