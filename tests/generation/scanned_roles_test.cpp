// AutoTP where no roles are stated: the scan of the module tree alone decides what is row-parallel. The logits are
// those of the plain model, which the conformance tests compare with Transformers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/generation/engine.h"

namespace graft {
namespace {

constexpr int64_t patience_ms = 120'000;

std::string case_path(const std::string& name) {
  const char* cases = std::getenv("GRAFT_TEST_CASES");
  return std::string(cases != nullptr ? cases : "GRAFT_TEST_CASES-is-not-set") + "/" + name;
}

std::vector<float> rows_of(const std::string& name, const EngineOptions& options) {
  const std::shared_ptr<Engine> engine = Engine::open(case_path(name), options, nullptr);
  RequestSpec spec;
  spec.kind = name.starts_with("bert") || name.starts_with("roberta") || name.starts_with("distilbert")
                  ? RequestKind::hidden
                  : RequestKind::logits;
  spec.prompt = {5, 9, 2, 17, 33, 8, 41, 3};
  const std::shared_ptr<RequestState> request = engine->submit(spec, nullptr);
  EXPECT_EQ(request->wait(patience_ms), StatusCode::ok) << request->error_message();
  const auto result = request->result(spec.kind == RequestKind::hidden ? "hidden" : "logits");
  return result ? result->values : std::vector<float>();
}

class ScannedRoles : public testing::TestWithParam<const char*> {};

TEST_P(ScannedRoles, GiveThePlainModelsNumbers) {
  EngineOptions plain;
  plain.injection = InjectionMode::none;
  plain.dtype = "float32";
  const std::vector<float> expected = rows_of(GetParam(), plain);
  ASSERT_FALSE(expected.empty());
  for (const int64_t ranks : {2, 3}) {
    EngineOptions scanned = plain;
    scanned.injection = InjectionMode::automatic;
    scanned.scanned_roles = true;
    scanned.tensor_parallel = ranks;
    const std::vector<float> found = rows_of(GetParam(), scanned);
    ASSERT_EQ(found.size(), expected.size());
    double largest = 0, difference = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
      difference = std::max(difference, std::abs(static_cast<double>(expected[i]) - static_cast<double>(found[i])));
    }
    EXPECT_LT(difference / largest, 1e-5) << ranks << " ranks";
    EXPECT_GT(largest, 0.0);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ScannedRoles,
                         testing::Values("llama_gqa", "qwen3_bias", "bert_base", "distilbert_base", "bloom_plain",
                                         "gpt_neo_plain", "gptj_plain", "gpt_neox_parallel", "opt_plain", "phi_plain",
                                         "falcon_7b", "gemma_plain"));

}  // namespace
}  // namespace graft
