// Commands on the model that GRAFT_TEST_MODEL names: shapes of what they print, and that they agree with each other.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "support.h"

using namespace graft_cli_test;

namespace {

struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;
};

Matrix read_npy(const std::string& path) {
  const std::string bytes = read_file(path);
  constexpr size_t prefix_size = 10;
  if (bytes.size() < prefix_size || bytes.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
    throw std::runtime_error(path + " is no .npy file of version 1.0");
  }
  const size_t header_size = static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  const std::string header = bytes.substr(prefix_size, header_size);
  EXPECT_EQ((prefix_size + header_size) % 64, 0u);
  EXPECT_EQ(header.back(), '\n');
  expect_contains(header, "'descr': '<f4'");
  expect_contains(header, "'fortran_order': False");
  Matrix matrix;
  long long rows = 0, columns = 0;
  const size_t shape = header.find("'shape': (");
  if (shape == std::string::npos ||
      std::sscanf(header.c_str() + shape, "'shape': (%lld, %lld)", &rows, &columns) != 2) {
    throw std::runtime_error(path + ": no shape of two sizes in " + header);
  }
  matrix.rows = rows;
  matrix.columns = columns;
  const size_t begin = prefix_size + header_size;
  if (bytes.size() - begin != static_cast<size_t>(rows * columns) * 4) throw std::runtime_error(path + ": wrong size");
  matrix.values.resize(static_cast<size_t>(rows * columns));
  std::memcpy(matrix.values.data(), bytes.data() + begin, bytes.size() - begin);
  return matrix;
}

Matrix logits_of(const std::vector<std::string>& sequences) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("logits.npy");
  std::vector<std::string> arguments = {"logits", test_model(), "--output", path};
  for (const std::string& tokens : sequences) arguments.insert(arguments.end(), {"--tokens", tokens});
  const Result result = run_cli(arguments);
  if (result.exit_code != 0) throw std::runtime_error(result.err);
  return read_npy(path);
}

std::vector<Json> generate(const std::vector<std::string>& sequences, const std::string& max_tokens = "4") {
  std::vector<std::string> arguments = {"generate", test_model(),   "--greedy", "--ignore-eos",
                                        "--json",   "--max-tokens", max_tokens};
  for (const std::string& tokens : sequences) arguments.insert(arguments.end(), {"--tokens", tokens});
  const Result result = run_cli(arguments);
  if (result.exit_code != 0) throw std::runtime_error(result.err);
  return parse_lines(result.out);
}

bool has_tokenizer() { return std::filesystem::exists(std::filesystem::path(test_model()) / "tokenizer.json"); }

}  // namespace

TEST(CliModel, GenerateJsonShape) {
  const std::vector<Json> lines = generate({"1,2,3"});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["tokens"].size(), 4u);
  EXPECT_EQ(lines[0]["text"].is_string(), has_tokenizer());
  EXPECT_EQ(lines[0]["finish_reason"], "length");
  EXPECT_EQ(lines[0]["usage"], (Json{{"prompt_tokens", 3}, {"completion_tokens", 4}}));
}

TEST(CliModel, SeveralSequencesComeInTheOrderGiven) {
  const std::vector<Json> together = generate({"1,2,3", "4,5", "6"});
  ASSERT_EQ(together.size(), 3u);
  EXPECT_EQ(together[0], generate({"1,2,3"})[0]);
  EXPECT_EQ(together[1], generate({"4,5"})[0]);
  EXPECT_EQ(together[2], generate({"6"})[0]);
}

TEST(CliModel, LogitsOfEveryPositionInOrder) {
  const Matrix first = logits_of({"1,2,3"});
  const Matrix second = logits_of({"4,5"});
  const Matrix both = logits_of({"1,2,3", "4,5"});
  EXPECT_EQ(first.rows, 3);
  EXPECT_EQ(second.rows, 2);
  ASSERT_EQ(both.rows, 5);
  ASSERT_EQ(both.columns, first.columns);
  std::vector<float> joined = first.values;
  joined.insert(joined.end(), second.values.begin(), second.values.end());
  const float largest = std::abs(
      *std::max_element(joined.begin(), joined.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
  EXPECT_GT(largest, 0.0f);
  for (size_t i = 0; i < joined.size(); ++i) ASSERT_NEAR(both.values[i], joined[i], 1e-3f * largest) << i;
}

TEST(CliModel, GreedyTakesTheLargestLogit) {
  const Matrix logits = logits_of({"1,2,3"});
  const auto last_row = logits.values.end() - logits.columns;
  const int64_t best = std::max_element(last_row, logits.values.end()) - last_row;
  EXPECT_EQ(generate({"1,2,3"}, "1")[0]["tokens"], Json::array({best}));
}

TEST(CliModel, PlainGenerateAgreesWithJson) {
  const Json answer = generate({"1,2,3"})[0];
  const Result result =
      run_cli({"generate", test_model(), "--tokens", "1,2,3", "--greedy", "--ignore-eos", "--max-tokens", "4"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::string ids;
  for (const Json& token : answer["tokens"]) ids += (ids.empty() ? "" : ",") + token.dump();
  EXPECT_EQ(result.out, (has_tokenizer() ? answer["text"].get<std::string>() : ids) + "\n");
}

TEST(CliModel, TokenOutsideTheVocabularyIsAFailure) {
  const Result result = run_cli({"generate", test_model(), "--tokens", "999999999"});
  expect_failure(result, "INVALID_ARGUMENT", "999999999");
}

TEST(CliModel, UnwritableOutputIsNamed) {
  expect_failure(run_cli({"logits", test_model(), "--tokens", "1", "--output", "/no/such/directory/f.npy"}), "IO_ERROR",
                 "/no/such/directory/f.npy");
}

TEST(CliModel, InfoPrintsOneObjectOrText) {
  const Result json = run_cli({"info", test_model(), "--json"});
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const std::vector<Json> lines = parse_lines(json.out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines[0].empty());
  const Result text = run_cli({"info", test_model()});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_TRUE(Json::parse(text.out, nullptr, false).is_discarded());
  for (const auto& [key, value] : lines[0].items()) expect_contains("\n" + text.out, "\n" + key + ":");
}

TEST(CliModel, BenchJsonShape) {
  const Result result = run_cli({"bench", test_model(), "--prompt", "8", "--generate", "4", "--batch", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<Json> lines = parse_lines(result.out);
  ASSERT_EQ(lines.size(), 1u);
  for (const char* key : {"load_s", "prefill_tokens_per_s", "decode_tokens_per_s", "ttft_ms", "peak_rss_mb"}) {
    ASSERT_TRUE(lines[0].contains(key) && lines[0][key].is_number()) << key << " in " << result.out;
    EXPECT_GT(lines[0][key].get<double>(), 0) << key;
  }
  ASSERT_TRUE(lines[0].contains("read_bandwidth_fraction")) << result.out;
  EXPECT_TRUE(lines[0]["read_bandwidth_fraction"].is_null() || lines[0]["read_bandwidth_fraction"].get<double>() > 0);
}

TEST(CliModel, TokenizeAndBack) {
  const Result ids = run_cli({"tokenize", test_model(), "a small test", "--json"});
  if (!has_tokenizer()) {
    expect_failure(ids, "NOT_FOUND", "tokenizer");
    return;
  }
  ASSERT_EQ(ids.exit_code, 0) << ids.err;
  const Json line = parse_lines(ids.out).at(0);
  ASSERT_FALSE(line["tokens"].empty());
  EXPECT_EQ(line["pieces"].size(), line["tokens"].size());
  std::string list;
  for (const Json& token : line["tokens"]) list += (list.empty() ? "" : ",") + token.dump();
  const Result text = run_cli({"tokenize", test_model(), "--decode", list});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.out, "a small test\n");
}

TEST(CliModel, RunStreamsTextAndEndsWithStats) {
  const std::vector<std::string> options = {"--greedy", "--ignore-eos", "--max-tokens", "4", "--stats"};
  std::vector<std::string> arguments = {"run", test_model(), "a small test"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Result argument = run_cli(arguments);
  if (!has_tokenizer()) {
    EXPECT_EQ(argument.exit_code, 1);
    return;
  }
  ASSERT_EQ(argument.exit_code, 0) << argument.err;
  expect_contains(argument.err, "4 tokens, ");
  expect_contains(argument.out, "4 tokens, ");
  for (const char* part : {"tokens/s", "time to first token", "load", "peak RSS"}) expect_contains(argument.err, part);
  EXPECT_EQ(argument.err.find('\r'), std::string::npos) << "a progress bar where stderr is no terminal";
  arguments.erase(arguments.begin() + 2);
  const Result piped = run_cli(arguments, "printf 'a small test\\n' |");
  ASSERT_EQ(piped.exit_code, 0) << piped.err;
  const auto answer_of = [](const std::string& out) { return out.substr(0, out.rfind("4 tokens, ")); };
  EXPECT_EQ(answer_of(piped.out), answer_of(argument.out));
}
