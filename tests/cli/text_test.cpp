// chat, embed and perplexity on the example model.
#include <cmath>

#include "support.h"

namespace graft_cli_test {
namespace {

TEST(Embed, EveryPoolingGivesRowsOfOneWidth) {
  const Result model = run_cli({"embed", test_model(), "one text", "another, longer text", "--json"});
  ASSERT_EQ(model.exit_code, 0) << model.err;
  std::istringstream lines(model.out);
  std::vector<Json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line).at("embedding"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_GT(rows[0].size(), 16u);
  EXPECT_EQ(rows[0].size(), rows[1].size());
  EXPECT_NE(rows[0], rows[1]);
  const Result all = run_cli({"embed", test_model(), "--tokens", "5,9,2", "--pooling", "none", "--json"});
  ASSERT_EQ(all.exit_code, 0) << all.err;
  const Json tokens = Json::parse(all.out).at("embedding");
  ASSERT_EQ(tokens.size(), 3u);
  const Result mean = run_cli({"embed", test_model(), "--tokens", "5,9,2", "--pooling", "mean", "--json"});
  const Json pooled = Json::parse(mean.out).at("embedding");
  for (size_t i = 0; i < pooled.size(); ++i) {
    const double sum = tokens[0][i].get<double>() + tokens[1][i].get<double>() + tokens[2][i].get<double>();
    EXPECT_NEAR(pooled[i].get<double>(), sum / 3, 1e-5);
  }
}

TEST(Embed, OutputIsAFile) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("rows.npy");
  const Result result = run_cli({"embed", test_model(), "a", "b", "--output", file});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(read_file(file).substr(1, 5), "NUMPY");
}

TEST(Embed, NeedsTextsOrTokens) {
  EXPECT_EQ(run_cli({"embed", test_model()}).exit_code, 2);
  EXPECT_EQ(run_cli({"embed", test_model(), "text", "--tokens", "1"}).exit_code, 2);
}

TEST(Perplexity, IsThatOfTheLogits) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("text.txt");
  std::ofstream(file) << "The cat sat on the mat. The days are Monday, Tuesday and Wednesday.";
  const Result whole = run_cli({"perplexity", test_model(), file, "--json"});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const Json result = Json::parse(whole.out);
  EXPECT_NEAR(result.at("perplexity").get<double>(), std::exp(result.at("nll").get<double>()), 1e-6);
  EXPECT_GT(result.at("perplexity").get<double>(), 1);
  // Windows with less before each token must predict about as well, and every token is counted once.
  const Result windows = run_cli({"perplexity", test_model(), file, "--window", "16", "--json"});
  ASSERT_EQ(windows.exit_code, 0) << windows.err;
  EXPECT_EQ(Json::parse(windows.out).at("tokens"), result.at("tokens"));
  EXPECT_NE(Json::parse(windows.out).at("nll"), result.at("nll"));
  std::ofstream(file, std::ios::trunc) << "";
  expect_failure(run_cli({"perplexity", test_model(), file}), "INVALID_ARGUMENT", "text.txt");
}

}  // namespace
}  // namespace graft_cli_test
