// XLM-RoBERTa: RoBERTa under other class names, with its heads first. Source: Transformers models/xlm_roberta.
#include "core/policies/policy.h"
#include "core/policies/support/roberta_like.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"xlm-roberta", nullptr};

Blueprint describe(const JsonObject& json) { return describe_roberta_like(json, "XLMRoberta", /*head_first=*/true); }

}  // namespace

extern const Policy policy_xlm_roberta;
const Policy policy_xlm_roberta{"xlm_roberta", model_types, "XLMRobertaLayer", describe};

}  // namespace graft
