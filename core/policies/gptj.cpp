// GPT-J: a decoder of its own kind. Source: Transformers models/gptj.
#include "core/policies/policy.h"
#include "core/policies/support/gptj_like.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"gptj", nullptr};

Blueprint describe(const JsonObject& config) { return describe_gptj_like(config, {"GPTJ", false}); }

}  // namespace

extern const Policy policy_gptj;
const Policy policy_gptj{"gptj", model_types, "GPTJBlock", describe};

}  // namespace graft
