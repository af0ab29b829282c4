// InternLM 7B and 20B: Llama's decoder with `bias` on query, key, value and output, and a `rotary` dictionary of its
// own. Transformers has no class; source: modeling_internlm.py of the checkpoints.
#include "core/policies/policy.h"
#include "core/policies/support/gated_decoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"internlm", nullptr};

// {"base": 10000, "type": "dynamic"}; files from before it have none and rotate plainly.
void read_rotary(const JsonObject& rotary, RopeConfig& rope) {
  const std::string type = rotary.get_string("type", "origin");
  if (type != "origin" && type != "dynamic") rotary.at("type").fail_expected("\"origin\" or \"dynamic\"");
  rope.theta = rotary.get_number("base", rope.theta, {1e-30, 1e30});
  if (type == "origin") return;
  if (rope.rotary_dim == 2) rotary.at("type").fail_expected("\"origin\", since a head has two lanes");
  rope.kind = RopeKind::dynamic;
  rope.factor = rotary.get_number("scaling_factor", 1.0, {1.0, 1e30});
}

Blueprint describe(const JsonObject& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (config.has(key)) config.at(key).fail_expected("nothing: InternLM's key is 'rotary'");
  }
  GatedDecoder family;
  family.prefix = "InternLM";
  family.query_key_value_bias = config.get_bool("bias", true);
  family.output_bias = family.query_key_value_bias;
  Blueprint blueprint = describe_gated_decoder(config, family);
  read_rotary(config.get_object("rotary"), blueprint.config.ropes.front());
  return blueprint;
}

}  // namespace

extern const Policy policy_internlm;
const Policy policy_internlm{"internlm", model_types, "InternLMDecoderLayer", describe};

}  // namespace graft
