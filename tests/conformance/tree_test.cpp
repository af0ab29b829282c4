// The module tree of graft_engine_inspect against the one Transformers prints (tree.txt of every case): names, class
// names, child order and shapes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Tree, PrintsAsTransformers) {
  const char* folder = std::getenv("GRAFT_TEST_CASES");
  ASSERT_NE(folder, nullptr) << "GRAFT_TEST_CASES is not set";
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!std::filesystem::exists(entry.path() / "tree.txt")) continue;
    graft_string* made = nullptr;
    check(graft_engine_inspect(entry.path().c_str(), -1, nullptr, &made), "inspect " + entry.path().string());
    const nlohmann::json info = nlohmann::json::parse(graft_string_data(made));
    graft_string_free(made);
    EXPECT_EQ(info.at("tree").get<std::string>() + "\n", read(entry.path() / "tree.txt")) << entry.path();
    ++compared;
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace graft::conformance
