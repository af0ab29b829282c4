#include "core/autotp/replacement.h"

#include <gtest/gtest.h>

#include <map>

#include "core/autotp/parser.h"
#include "core/base/status.h"
#include "tests/autotp/trees.h"

namespace graft {
namespace {

using Kind = ReplacementKind;

ScannedModule layer_of(const std::string& layer_class) { return {"0", layer_class, ModuleKind::other, {}}; }

LinearReplacement replace(const std::string& layer_class, const std::string& name,
                          const std::set<std::string>& rows = {}, ModuleKind kind = ModuleKind::linear) {
  return replace_linear(layer_of(layer_class), rows, name, kind);
}

/// The first element of that class in any module list.
const ScannedModule* find_class(const ScannedModule& module, const std::string& layer_class) {
  if (module.class_name == layer_class) return &module;
  for (const ScannedModule& child : module.children) {
    if (const ScannedModule* found = find_class(child, layer_class)) return found;
  }
  return nullptr;
}

/// Every linear of the layer by path.
std::map<std::string, Kind> plan_of(const std::string& model, size_t index = 0) {
  const ScannedModule tree = test::tree_of(model);
  const LayerPlan plan = tp_parser(tree).at(index);
  std::map<std::string, Kind> kinds;
  for (const LinearReplacement& made : replace_layer(*find_class(tree, plan.layer_class), plan.row_parallel)) {
    kinds[made.path] = made.kind;
  }
  return kinds;
}

TEST(Replacement, GatesAndLowRankProjectionsStayWhole) {
  for (const char* name : {"mlp.gate", "block_sparse_moe.gate", "self_attn.q_a_proj", "self_attn.kv_a_proj_with_mqa"}) {
    const LinearReplacement made = replace("FooLayer", name, {name});  // even if marked
    EXPECT_EQ(made.kind, Kind::replicated) << name;
    EXPECT_FALSE(made.why.empty()) << name;
  }
  EXPECT_EQ(replace("Qwen2MoeDecoderLayer", "mlp.gate").kind, Kind::replicated);
  EXPECT_EQ(replace("Qwen2MoeDecoderLayer", "mlp.shared_expert_gate").kind, Kind::replicated);
  EXPECT_EQ(replace("FooLayer", "mlp.shared_expert_gate").kind, Kind::column);
  EXPECT_EQ(replace("FooLayer", "mlp.gate_proj").kind, Kind::column);
  EXPECT_EQ(replace("FooLayer", ".gate").kind, Kind::column);
}

TEST(Replacement, YuanIsRefusedByName) {
  for (const char* name : {"self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj"}) {
    try {
      replace("YuanDecoderLayer", name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::unsupported);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("Yuan"), std::string::npos) << error.what();
    }
  }
}

TEST(Replacement, PackedGateAndUp) {
  EXPECT_EQ(replace("Phi3DecoderLayer", "mlp.gate_up_proj").kind, Kind::packed_column);
  EXPECT_EQ(replace("GLMBlock", "mlp.dense_h_to_4h").kind, Kind::packed_column);
  EXPECT_EQ(replace("BloomBlock", "mlp.dense_h_to_4h").kind, Kind::column);
  EXPECT_EQ(replace("FooLayer", "mlp.gate_up_proj", {"mlp.gate_up_proj"}).kind, Kind::packed_column);  // before rows
}

TEST(Replacement, Rows) {
  EXPECT_EQ(replace("FooLayer", "attn.x", {"attn.x"}).kind, Kind::row);
  EXPECT_EQ(replace("FooLayer", "other.x", {"attn.x"}).kind, Kind::column);
  EXPECT_EQ(replace("FooLayer", "experts.down_proj").kind, Kind::row);
  EXPECT_EQ(replace("ArcticDecoderLayer", "0.w2").kind, Kind::row);
  EXPECT_EQ(replace("ArcticDecoderLayer", "0.w1").kind, Kind::column);
  EXPECT_EQ(replace("FooLayer", "0.w2").kind, Kind::column);
  EXPECT_EQ(replace("FooLayer", "lm_head", {"lm_head"}).kind, Kind::head_row);
  EXPECT_EQ(replace("FooLayer", "embed_out", {"embed_out"}).kind, Kind::head_row);
  EXPECT_EQ(replace("FooLayer", "x.lm_head", {"x.lm_head"}).kind, Kind::row);
  EXPECT_EQ(replace("FooLayer", "x.c_attn", {"x.c_attn"}).kind, Kind::row);  // before fused columns
}

TEST(Replacement, FusedColumns) {
  for (const char* name :
       {"self_attn.qkv_proj", "self_attention.query_key_value", "attn.Wqkv", "self_attn.W_pack", "attn.c_attn"}) {
    const LinearReplacement made = replace("MptBlock", name);
    EXPECT_EQ(made.kind, Kind::fused_column) << name;
    EXPECT_EQ(made.fused.type, FusedType::glm) << name;
  }
  EXPECT_EQ(replace("CodeGenBlock", "attn.qkv_proj").fused.type, FusedType::codegen);
  EXPECT_FALSE(replace("FooLayer", "attn.qkv_proj").fused.warning.empty());
  EXPECT_EQ(replace("MptBlock", "x.Wqkv").kind, Kind::column);
}

TEST(Replacement, Conv1DInGpt2BlocksOnly) {
  const LinearReplacement whole = replace("FooBlock", "attn.c_proj", {"attn.c_proj"}, ModuleKind::conv1d);
  EXPECT_EQ(whole.kind, Kind::replicated);
  EXPECT_FALSE(whole.why.empty());
  const LinearReplacement row = replace("GPT2Block", "attn.c_proj", {"attn.c_proj"}, ModuleKind::conv1d);
  EXPECT_EQ(row.kind, Kind::row);
  EXPECT_TRUE(row.conv1d);
  EXPECT_EQ(replace("GPT2Block", "mlp.c_fc", {}, ModuleKind::conv1d).kind, Kind::column);
  const LinearReplacement fused = replace("GPT2Block", "attn.c_attn", {}, ModuleKind::conv1d);
  EXPECT_EQ(fused.kind, Kind::fused_column);
  EXPECT_EQ(fused.fused.type, FusedType::glm);
  EXPECT_EQ(fused.fused.warning, "");
}

TEST(Replacement, WholeLayersOfTransformers) {
  using Kinds = std::map<std::string, Kind>;
  EXPECT_EQ(plan_of("llama"), (Kinds{{"self_attn.q_proj", Kind::column},
                                     {"self_attn.k_proj", Kind::column},
                                     {"self_attn.v_proj", Kind::column},
                                     {"self_attn.o_proj", Kind::row},
                                     {"mlp.gate_proj", Kind::column},
                                     {"mlp.up_proj", Kind::column},
                                     {"mlp.down_proj", Kind::row}}));
  EXPECT_EQ(plan_of("bert"), (Kinds{{"attention.self.query", Kind::column},
                                    {"attention.self.key", Kind::column},
                                    {"attention.self.value", Kind::column},
                                    {"attention.output.dense", Kind::row},
                                    {"intermediate.dense", Kind::column},
                                    {"output.dense", Kind::row}}));
  EXPECT_EQ(plan_of("phi3"), (Kinds{{"self_attn.qkv_proj", Kind::fused_column},
                                    {"self_attn.o_proj", Kind::row},
                                    {"mlp.gate_up_proj", Kind::packed_column},
                                    {"mlp.down_proj", Kind::row}}));
  EXPECT_EQ(plan_of("bloom"), (Kinds{{"self_attention.query_key_value", Kind::fused_column},
                                     {"self_attention.dense", Kind::row},
                                     {"mlp.dense_h_to_4h", Kind::column},
                                     {"mlp.dense_4h_to_h", Kind::row}}));
  EXPECT_EQ(plan_of("opt"), (Kinds{{"self_attn.q_proj", Kind::column},
                                   {"self_attn.k_proj", Kind::column},
                                   {"self_attn.v_proj", Kind::column},
                                   {"self_attn.out_proj", Kind::row},
                                   {"fc1", Kind::column},
                                   {"fc2", Kind::row}}));
  const Kinds deepseek = plan_of("deepseek_v3");  // the first layer, which is dense
  EXPECT_EQ(deepseek.at("self_attn.q_a_proj"), Kind::replicated);
  EXPECT_EQ(deepseek.at("self_attn.q_b_proj"), Kind::column);
  EXPECT_EQ(deepseek.at("self_attn.kv_a_proj_with_mqa"), Kind::replicated);
  EXPECT_EQ(deepseek.at("mlp.down_proj"), Kind::row);
  EXPECT_EQ(plan_of("t5").at("layer.0.SelfAttention.relative_attention_bias"), Kind::embedding);
  EXPECT_EQ(plan_of("t5").at("layer.0.SelfAttention.o"), Kind::row);
}

TEST(Replacement, Heads) {
  const std::pair<const char*, const char*> heads[] = {
      {"llama", "lm_head"}, {"gpt_neox", "lm_head"}, {"opt", "lm_head"}, {"gpt2", "lm_head"}};
  for (const auto& [model, path] : heads) {
    const std::vector<LinearReplacement> made = replace_head(test::tree_of(model));
    ASSERT_EQ(made.size(), 1u) << model;
    EXPECT_EQ(made[0].path, path);
    EXPECT_EQ(made[0].kind, Kind::head_row);
  }
  EXPECT_TRUE(replace_head(test::tree_of("bert")).empty());
  const ScannedModule head{"lm_head", "Linear", ModuleKind::linear, {}};
  const ScannedModule inner{"language_model", "FooModel", ModuleKind::other, {head}};
  const ScannedModule embed_out{"embed_out", "Linear", ModuleKind::linear, {}};
  EXPECT_EQ(replace_head({"", "FooForX", ModuleKind::other, {embed_out}}).at(0).path, "embed_out");
  const std::vector<LinearReplacement> made = replace_head({"", "FooForX", ModuleKind::other, {inner}});
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].path, "language_model.lm_head");
  EXPECT_TRUE(replace_head({"", "Foo", ModuleKind::other, {{"lm_head", "Bar", ModuleKind::other, {head}}}}).empty());
}

}  // namespace
}  // namespace graft
