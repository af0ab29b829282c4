// CodeGen: GPT-J with query, key and value in one matrix. Source: Transformers models/codegen.
#include "core/policies/policy.h"
#include "core/policies/support/gptj_like.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"codegen", nullptr};

Blueprint describe(const JsonObject& config) { return describe_gptj_like(config, {"CodeGen", true}); }

}  // namespace

extern const Policy policy_codegen;
const Policy policy_codegen{"codegen", model_types, "CodeGenBlock", describe};

}  // namespace graft
