// What is wrong with the command line itself is told before anything is loaded; none of these needs a model.
#include "support.h"

using namespace graft_cli_test;

namespace {

const std::vector<std::string> all_commands = {"run",        "chat",  "generate", "logits",   "embed", "tokenize",
                                               "perplexity", "bench", "info",     "quantize", "doctor"};

std::vector<std::string> join(std::vector<std::string> first, const std::vector<std::string>& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

}  // namespace

TEST(CliUsage, NoCommandListsAllOfThemOnStderr) {
  const Result result = run_cli({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  for (const std::string& command : all_commands) expect_contains(result.err, "\n  " + command + " ");
}

TEST(CliUsage, HelpGoesToStdout) {
  for (const char* form : {"--help", "-h", "help"}) {
    const Result result = run_cli({form});
    EXPECT_EQ(result.exit_code, 0) << form;
    expect_contains(result.out, "usage: graft COMMAND MODEL");
    EXPECT_EQ(result.err, "") << form;
  }
}

TEST(CliUsage, EveryCommandHasHelp) {
  for (const std::string& command : all_commands) {
    const Result result = run_cli({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << command;
    expect_contains(result.out, "Usage: graft " + command);
    expect_contains(result.out, "--json");
  }
}

TEST(CliUsage, CommonOptionsAreOfferedWithEveryModel) {
  for (const std::string& command : all_commands) {
    if (command == "doctor") continue;
    const Result result = run_cli({command, "--help"});
    for (const char* option : {"--device", "--dtype", "--tp", "--ep", "--inject", "--policy", "--graph", "--threads",
                               "--group-size", "--weights", "--config", "--profile"}) {
      expect_contains(result.out, std::string("  ") + option + " ");
    }
  }
}

TEST(CliUsage, VersionNamesReleaseAndAbi) {
  const Result result = run_cli({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  expect_contains(result.out, "graft ");
  expect_contains(result.out, "ABI 1");
}

TEST(CliUsage, UnknownCommandIsNamed) {
  expect_usage_error({"fly"}, "'fly'");
  expect_usage_error({"--fly"}, "'--fly'");
}

TEST(CliUsage, MissingAndSuperfluousArguments) {
  expect_usage_error({"info"}, "MODEL");
  expect_usage_error({"generate", "m"}, "--tokens");
  expect_usage_error({"logits", "m", "--tokens", "1"}, "--output");
  expect_usage_error({"info", "m", "superfluous"}, "superfluous");
  expect_usage_error({"info", "m", "--bogus"}, "--bogus");
  expect_usage_error({"doctor", "m"}, "m");
}

TEST(CliUsage, BadTokenIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"5,9x,2", "'9x'"},    {"-1", "'-1'"},   {"", "''"},       {"5,,2", "item 2 ''"},
      {"5,9,", "item 3 ''"}, {"1.5", "'1.5'"}, {"5;9", "'5;9'"}, {"99999999999999999999", "'99999999999999999999'"}};
  for (const auto& [tokens, named] : cases) {
    expect_usage_error({"generate", "m", "--tokens", tokens}, named);
    expect_usage_error({"logits", "m", "--output", "f.npy", "--tokens", tokens}, named);
    expect_usage_error({"tokenize", "m", "--decode", "--", tokens}, named);
  }
  expect_usage_error({"generate", "m", "--tokens", "1,2", "--tokens", "3,y"}, "'y'");
}

TEST(CliUsage, BadValuesOfCommonOptions) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--device", "tpu"}, "tpu"},
      {{"--dtype", "float8"}, "float8"},
      {{"--graph", "maybe"}, "maybe"},
      {{"--weights", "guess"}, "guess"},
      {{"--tp", "0"}, "--tp"},
      {{"--tp", "two"}, "two"},
      {{"--ep", "0"}, "--ep"},
      {{"--threads", "-1"}, "--threads"},
      {{"--inject", "no_such_file.json"}, "no_such_file.json"}};
  for (const auto& [options, named] : cases) expect_usage_error(join({"info", "m"}, options), named);
}

TEST(CliUsage, CombinationsThatCannotBeMeant) {
  expect_usage_error({"info", "m", "--tp", "3", "--ep", "2"}, "does not divide");
  expect_usage_error({"info", "m", "--inject", "none", "--tp", "2"}, "--inject none");
  expect_usage_error({"info", "m", "--group-size", "64"}, "--group-size");
  expect_usage_error({"info", "m", "--group-size", "64", "--dtype", "float16"}, "--group-size");
  expect_usage_error({"embed", "m"}, "--tokens");
  expect_usage_error({"embed", "m", "text", "--tokens", "1"}, "--tokens");
  expect_usage_error({"quantize", "m", "out", "--dtype", "float32"}, "--dtype");
  expect_usage_error({"logits", "m", "--output", "f", "--tokens", "1", "--tokens", "2", "--decoder-tokens", "0"},
                     "--decoder-tokens");
}

TEST(CliUsage, BadValuesOfSamplingOptions) {
  const std::vector<std::vector<std::string>> cases = {{"--temperature", "-1"},
                                                       {"--temperature", "nan"},
                                                       {"--top-k", "-1"},
                                                       {"--top-p", "0"},
                                                       {"--top-p", "1.5"},
                                                       {"--min-p", "2"},
                                                       {"--repetition-penalty", "-0.5"},
                                                       {"--num-beams", "0"},
                                                       {"--stop", ""},
                                                       {"--max-tokens", "-2"}};
  for (const auto& options : cases) {
    expect_usage_error(join({"generate", "m", "--tokens", "1"}, options), options[0]);
    expect_usage_error(join({"run", "m", "prompt"}, options), options[0]);
  }
}

TEST(CliUsage, BenchNeedsPositiveSizes) {
  for (const char* option : {"--prompt", "--generate", "--batch"})
    expect_usage_error({"bench", "m", option, "0"}, option);
}

TEST(CliUsage, LauncherEnvironmentIsChecked) {
  const Result no_rank = run_cli({"info", "m"}, "env -u RANK WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=1");
  EXPECT_EQ(no_rank.exit_code, 2);
  expect_contains(no_rank.err, "RANK (environment)");
  const Result bad_rank = run_cli({"info", "m"}, "env RANK=2 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=1");
  EXPECT_EQ(bad_rank.exit_code, 2);
  expect_contains(bad_rank.err, "'2'");
  const Result other_tp =
      run_cli({"info", "m", "--tp", "3"}, "env RANK=0 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=1");
  EXPECT_EQ(other_tp.exit_code, 2);
  expect_contains(other_tp.err, "WORLD_SIZE");
}

TEST(CliUsage, InterruptWhileReadingThePromptEndsWith130) {
  const Result result = run_cli({"run", "m"}, "sleep 2 | timeout --preserve-status -s INT 0.5");
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(result.out, "");
}
