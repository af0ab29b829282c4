// `graft doctor` answers on every machine.
#include "support.h"

using namespace graft_cli_test;

TEST(CliDoctor, JsonIsOneObjectOnOneLine) {
  const Result result = run_cli({"doctor", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<Json> lines = parse_lines(result.out);
  ASSERT_EQ(lines.size(), 1u);
  for (const char* key : {"version", "abi", "library", "libtorch", "loaded"}) {
    EXPECT_TRUE(lines[0].contains(key)) << key << " is not in " << result.out;
  }
}

TEST(CliDoctor, TextHasOneKeyALine) {
  const Result result = run_cli({"doctor"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_contains("\n" + result.out, "\nversion: ");
  expect_contains("\n" + result.out, "\nloaded: ");
  EXPECT_TRUE(Json::parse(result.out, nullptr, false).is_discarded());
}

TEST(CliDoctor, FollowingRanksStaySilent) {
  const Result result = run_cli({"doctor"}, "env RANK=1 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=29500");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
}
