// Failures outside the command line: exit 1, and one line that names the status and the thing.
#include <algorithm>

#include "support.h"

using namespace graft_cli_test;

TEST(CliFailure, MissingModelDirectoryIsNamed) {
  const TemporaryDirectory directory;
  const std::string missing = directory.file("no_such_model");
  expect_failure(run_cli({"info", missing}), "NOT_FOUND", missing);
  expect_failure(run_cli({"run", missing, "hello"}), "NOT_FOUND", missing);
  expect_failure(run_cli({"generate", missing, "--tokens", "1,2"}), "NOT_FOUND", missing);
  expect_failure(run_cli({"tokenize", missing, "hello"}), "NOT_FOUND", missing);
}

TEST(CliFailure, FailedCommandPrintsNothingOnStdout) {
  const TemporaryDirectory directory;
  const Result result = run_cli({"generate", directory.file("no_such_model"), "--tokens", "1,2", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
}

TEST(CliFailure, MissingOptionFilesAreNamed) {
  const TemporaryDirectory directory;
  const std::string missing = directory.file("no_such_file.json");
  expect_failure(run_cli({"info", "m", "--config", missing}), "NOT_FOUND", missing);
  expect_failure(run_cli({"info", "m", "--policy", missing}), "NOT_FOUND", missing);
}

TEST(CliFailure, DamagedOptionFilesAreNamed) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("damaged.json");
  std::ofstream(path) << "{\"no_such_key\": 1";
  expect_failure(run_cli({"info", "m", "--config", path}), "INVALID_ARGUMENT", path);
  expect_failure(run_cli({"info", "m", "--policy", path}), "INVALID_ARGUMENT", path);
  expect_failure(run_cli({"info", "m", "--inject", path}), "INVALID_ARGUMENT", path);
}

TEST(CliFailure, UnknownKeyOfTheConfigIsNamed) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("config.json");
  std::ofstream(path) << "{\"no_such_key\": 1}";
  expect_failure(run_cli({"info", "m", "--config", path}), "INVALID_ARGUMENT", "no_such_key");
}

TEST(CliFailure, UserPolicyWithoutNamesIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("policy.json");
  std::ofstream(path) << R"({"LlamaDecoderLayer": [3]})";
  expect_failure(run_cli({"info", "m", "--inject", path}), "INVALID_ARGUMENT", "LlamaDecoderLayer");
}

TEST(CliFailure, CommandsOfLaterReleasesSayWhatTheyWaitFor) {
  const std::vector<std::vector<std::string>> cases = {{"quantize", "m", "out", "--dtype", "int8"}};
  for (const auto& arguments : cases) {
    const Result result = run_cli(arguments);
    expect_failure(result, "UNSUPPORTED", arguments[0] + " waits for ");
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST(CliFailure, LostOutputIsAFailure) {
  const Result result = run_cli({"doctor", "--json"}, "exec >/dev/full;");
  expect_failure(result, "IO_ERROR", "stdout");
}
