// RoBERTa. Source: Transformers models/roberta.
#include "core/policies/policy.h"
#include "core/policies/support/roberta_like.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"roberta", nullptr};

Blueprint describe(const JsonObject& json) { return describe_roberta_like(json, "Roberta", /*head_first=*/false); }

}  // namespace

extern const Policy policy_roberta;
const Policy policy_roberta{"roberta", model_types, "RobertaLayer", describe};

}  // namespace graft
