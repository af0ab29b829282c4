// Architectures given as JSON (examples/architectures) against Transformers: the oracle's cases under a model_type that
// no built policy answers to, so that the JSON alone says what the model is.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

constexpr const char* unknown_type = "known_to_nobody";

std::filesystem::path folder_of(const char* variable) {
  const char* folder = std::getenv(variable);
  return folder == nullptr ? "" : folder;
}

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

/// A copy of a case's model whose config.json says `unknown_type`; the weights are linked.
class Renamed {
 public:
  explicit Renamed(const std::filesystem::path& original) {
    std::string pattern = (std::filesystem::temp_directory_path() / "graft-architecture-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
    for (const auto& entry : std::filesystem::directory_iterator(original)) {
      if (entry.path().filename() == "config.json") continue;
      std::filesystem::create_symlink(entry.path(), path_ / entry.path().filename());
    }
    nlohmann::json config = read_json(original / "config.json");
    config["model_type"] = unknown_type;
    std::ofstream(path_ / "config.json") << config.dump(1);
  }
  ~Renamed() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Renamed(const Renamed&) = delete;
  Renamed& operator=(const Renamed&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Policy make_policy(const std::string& example) {
  nlohmann::json json = read_json(folder_of("GRAFT_TEST_SOURCE") / "examples/architectures" / (example + ".json"));
  json["model_types"] = {unknown_type};
  const std::string text = json.dump();
  graft_policy* policy = nullptr;
  check(graft_policy_from_json(text.c_str(), -1, &policy), "policy");
  return Policy(policy);
}

double worst_error(const Engine& engine, const TestCase& test_case) {
  Difference difference;
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  for (size_t i = 0; i < test_case.prompts.size(); ++i) {
    const Tokens& tokens = test_case.prompts[i];
    const Request request = submit(engine.get(), tokens, options.get());
    difference.add(take_logits(request.get(), static_cast<int64_t>(tokens.size()), test_case.vocab_size),
                   test_case.logits[i]);
  }
  return difference.error();
}

void compare_all(const std::string& family) {
  const std::filesystem::path cases = folder_of("GRAFT_TEST_CASES");
  const Policy policy = make_policy(family);
  int compared = 0;
  double worst = 0;
  for (const std::string& name : case_names(cases)) {
    if (!name.starts_with(family + "_")) continue;
    SCOPED_TRACE(name);
    TestCase test_case = read_case(cases / name);
    const Renamed renamed(test_case.directory);
    test_case.directory = renamed.path();
    for (const char* injection : {"none", "kernel"}) {
      const Cell cell{injection, 1, true, "", {}};
      const EngineOptions options = make_engine_options(cell, "float32");
      check(graft_engine_options_set_context_limit(options.get(), test_case.context), "context limit");
      graft_engine* opened = nullptr;
      EXPECT_EQ(graft_engine_open(renamed.path().c_str(), -1, options.get(), &opened), GRAFT_STATUS_UNSUPPORTED);
      check(graft_engine_options_add_policy(options.get(), policy.get()), "add policy");
      check(graft_engine_open(renamed.path().c_str(), -1, options.get(), &opened), "open");
      const Engine engine(opened);
      const double error = worst_error(engine, test_case);
      EXPECT_LT(error, test_case.tolerance) << injection;
      worst = std::max(worst, error);
      ++compared;
    }
  }
  EXPECT_GE(compared, 20);
  testing::Test::RecordProperty("error", std::to_string(worst));
}

TEST(Architecture, PhiAsJson) { compare_all("phi"); }
TEST(Architecture, Gpt2AsJson) { compare_all("gpt2"); }

TEST(Architecture, PrintsAsTransformers) {
  const std::filesystem::path original = folder_of("GRAFT_TEST_CASES") / "phi_padding";
  const Renamed renamed(original);
  const EngineOptions options = make_engine_options({"kernel", 1, true, "", {}}, "float32");
  check(graft_engine_options_add_policy(options.get(), make_policy("phi").get()), "add policy");
  graft_string* made = nullptr;
  check(graft_engine_inspect(renamed.path().c_str(), -1, options.get(), &made), "inspect");
  const nlohmann::json info = nlohmann::json::parse(graft_string_data(made));
  graft_string_free(made);
  std::ifstream file(original / "tree.txt");
  const std::string expected((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(info.at("tree").get<std::string>() + "\n", expected);
  EXPECT_EQ(info.at("policy"), "phi-as-json");
}

}  // namespace
}  // namespace graft::conformance
