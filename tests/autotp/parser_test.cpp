// The scan against the golden table: Transformers' own classes, in the order of their modules.
#include "core/autotp/parser.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/status.h"
#include "tests/autotp/trees.h"

namespace graft {
namespace {

using Names = std::set<std::string>;
using Expected = std::vector<std::pair<std::string, Names>>;

struct GoldenCase {
  std::string key;
  Expected plan;
};

const std::map<std::string, GoldenCase> golden = {
    {"bert", {"Bert", {{"BertLayer", {"output.dense"}}}}},
    {"roberta", {"Roberta", {{"RobertaLayer", {"output.dense"}}}}},
    {"distilbert", {"DistilBert", {{"TransformerBlock", {"attention.out_lin", "ffn.lin2"}}}}},
    {"gpt_neo", {"GPTNeo", {{"GPTNeoBlock", {"attention.out_proj", "mlp.c_proj"}}}}},
    {"gptj", {"GPTJ", {{"GPTJBlock", {"attn.out_proj", "mlp.fc_out"}}}}},
    {"codegen", {"CodeGen", {{"CodeGenBlock", {"attn.out_proj", "mlp.fc_out"}}}}},
    {"gpt_neox", {"GPTNeoX", {{"GPTNeoXLayer", {"attention.dense", "mlp.dense_4h_to_h"}}}}},
    {"bloom", {"Bloom", {{"BloomBlock", {"self_attention.dense", "mlp.dense_4h_to_h"}}}}},
    {"falcon", {"Falcon", {{"FalconDecoderLayer", {"self_attention.dense", "mlp.dense_4h_to_h"}}}}},
    {"opt", {"OPT", {{"OPTDecoderLayer", {"self_attn.out_proj", ".fc2"}}}}},
    {"llama", {"Llama", {{"LlamaDecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"mistral", {"Mistral", {{"MistralDecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"qwen2", {"Qwen2", {{"Qwen2DecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"qwen3", {"Qwen3", {{"Qwen3DecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"gemma", {"Gemma", {{"GemmaDecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"phi3", {"Phi3", {{"Phi3DecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"deepseek_v3", {"DeepseekV3", {{"DeepseekV3DecoderLayer", {"self_attn.o_proj", "mlp.down_proj"}}}}},
    {"phi", {"Phi", {{"PhiDecoderLayer", {"self_attn.dense", "mlp.fc2"}}}}},
    {"mpt", {"Mpt", {{"MptBlock", {"attn.out_proj", "ffn.down_proj"}}}}},
    {"gpt_bigcode", {"GPTBigCode", {{"GPTBigCodeBlock", {"attn.c_proj", "mlp.c_proj"}}}}},
    {"t5", {"T5", {{"T5Block", {"SelfAttention.o", "EncDecAttention.o", "DenseReluDense.wo"}}}}},
    {"marian",
     {"Marian",
      {{"MarianEncoderLayer", {"self_attn.out_proj", ".fc2"}},
       {"MarianDecoderLayer", {"self_attn.out_proj", "encoder_attn.out_proj", ".fc2"}}}}},
    {"clip_text", {"CLIPText", {{"CLIPEncoderLayer", {"self_attn.out_proj", "mlp.fc2"}}}}},
    {"mixtral", {"Mixtral", {{"MixtralDecoderLayer", {"self_attn.o_proj"}}}}},
    {"qwen2_moe", {"Qwen2Moe", {{"Qwen2MoeDecoderLayer", {"self_attn.o_proj", "shared_expert.down_proj"}}}}},
};

void expect_plan(const std::vector<LayerPlan>& found, const Expected& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].layer_class, expected[i].first);
    EXPECT_EQ(found[i].row_parallel, expected[i].second);
  }
}

template <class Make>
std::string refusal(Make make, StatusCode code = StatusCode::unsupported) {
  try {
    make();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing refused";
  return "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

ScannedModule linear(const std::string& name) { return {name, "Linear", ModuleKind::linear, {}}; }
ScannedModule norm(const std::string& name) { return {name, "LayerNorm", ModuleKind::layer_norm, {}}; }
ScannedModule inner(const std::string& name, const std::string& kind, std::vector<ScannedModule> children) {
  return {name, kind, ModuleKind::other, std::move(children)};
}
ScannedModule list(const std::string& name, std::vector<ScannedModule> children) {
  return {name, "ModuleList", ModuleKind::module_list, std::move(children)};
}

TEST(Parser, GoldenTable) {
  for (const auto& [name, expected] : golden) {
    SCOPED_TRACE(name);
    const ScannedModule tree = test::tree_of(name);
    const std::string printed = test::trees().at(name)["printed"];
    EXPECT_EQ(model_key(printed), expected.key);
    EXPECT_EQ(model_key(print_scanned(tree)), expected.key);
    expect_plan(tp_parser(tree, printed), expected.plan);
    expect_plan(tp_parser(tree), expected.plan);
  }
}

TEST(Parser, Gpt2IsRefusedWithItsKey) {
  const std::string message = refusal([] { tp_parser(test::tree_of("gpt2")); });
  EXPECT_TRUE(has(message, "'GPT2'") && has(message, "provide a policy")) << message;
  EXPECT_TRUE(has(message, "no linears")) << message;  // Conv1D is none
}

void expect_kinds(const nlohmann::json& node) {
  const std::string name = node["class"];
  EXPECT_EQ(kind_of_class(name), test::kind_of_bases(node["bases"])) << name;
  for (const nlohmann::json& child : node["children"]) expect_kinds(child);
}

// A blueprint knows class names only: they must say the same as the classes' bases.
TEST(Parser, KindsByNameAgreeWithTheClasses) {
  for (const auto& [name, entry] : test::trees().items()) {
    SCOPED_TRACE(name);
    expect_kinds(entry["tree"]);
  }
}

TEST(Parser, FirstNormMarksTheLastLinearAndDuplicateNormsMarkNothing) {
  const ScannedModule root = inner("", "FooModel",
                                   {list("h", {inner("0", "FooLayer",
                                                     {norm("a"), linear("x"), linear("y"), norm("b"), norm("c"),
                                                      inner("m", "M", {linear("z"), linear("w")})})})});
  expect_plan(tp_parser(root), {{"FooLayer", {".y", "m.w"}}});
}

TEST(Parser, NumberedNormNamesCountInTheLayerOnly) {
  const auto model = [](std::vector<ScannedModule> layer) {
    return inner("", "FooModel", {list("h", {inner("0", "FooLayer", std::move(layer))})});
  };
  expect_plan(tp_parser(model({linear("x"), inner("ln_1", "RMSNorm", {}), linear("y")})), {{"FooLayer", {".x"}}});
  refusal([&] { tp_parser(model({linear("x"), inner("m", "M", {inner("ln_1", "RMSNorm", {})}), linear("y")})); });
  expect_plan(tp_parser(model({linear("x"), inner("m", "M", {inner("layer_norm", "RMSNorm", {})}), linear("y")})),
              {{"FooLayer", {".x"}}});
}

TEST(Parser, FirstOfEachClassPerParentAndAnyNumberOfMerges) {
  const auto layer = [](const std::string& name, const std::string& kind, const std::string& child) {
    return inner(name, kind, {linear(child)});
  };
  const ScannedModule root =
      inner("", "FooModel",
            {inner("a", "A",
                   {list("h", {layer("0", "L", "out_proj"), layer("1", "L", "down_proj"), layer("2", "K", "o_proj")})}),
             inner("b", "B", {list("h", {layer("0", "L", "x_down_proj")})}),
             inner("c", "C", {list("h", {layer("0", "L", "y_down_proj")})})});
  expect_plan(tp_parser(root), {{"L", {".out_proj", ".x_down_proj", ".y_down_proj"}}, {"K", {".o_proj"}}});
}

TEST(Parser, NamesThatCountForSomeFamiliesOnly) {
  const auto model = [](const std::string& root, const std::string& layer, const std::string& child) {
    return inner(
        "", root,
        {list("h",
              {inner("0", layer,
                     {inner("self_attention", "A", {linear(child)}), inner("self_attn", "A", {linear(child)})})})});
  };
  expect_plan(tp_parser(model("ChatGLMModel", "GLMBlock", "dense")), {{"GLMBlock", {"self_attention.dense"}}});
  expect_plan(tp_parser(model("ChatGLMModel", "GLMBlock", "dense_4h_to_h")),
              {{"GLMBlock", {"self_attention.dense_4h_to_h", "self_attn.dense_4h_to_h"}}});
  expect_plan(tp_parser(model("GPTNeoXModel", "L", "dense")), {{"L", {"self_attention.dense"}}});
  expect_plan(tp_parser(model("FooModel", "FalconDecoderLayer", "dense")),
              {{"FalconDecoderLayer", {"self_attention.dense"}}});
  expect_plan(tp_parser(model("FooModel", "PhiDecoderLayer", "dense")), {{"PhiDecoderLayer", {"self_attn.dense"}}});
  expect_plan(tp_parser(model("FooModel", "MixtralLayer", "w2")),
              {{"MixtralLayer", {"self_attention.w2", "self_attn.w2"}}});
  refusal([&] { tp_parser(model("FooModel", "FooLayer", "w2")); });
  refusal([&] { tp_parser(model("FooModel", "FooLayer", "dense")); });
}

TEST(Parser, ModelKey) {
  EXPECT_EQ(model_key("FooForX(\n  (a): Embedding(2, 3)\n  (model): FooModel(\n"), "Foo");
  EXPECT_EQ(model_key("T5For(\n  (shared): Embedding(2)\n  (encoder): T5Stack(\n"), "T5");
  EXPECT_EQ(model_key("BertModel(\n  (embeddings): BertEmbeddings()\n)"), "Bert");
  EXPECT_EQ(model_key("Foo(\n  (layer): Bar()\n)"), "");
  EXPECT_EQ(model_key(""), "");
}

TEST(Parser, RefusalsListTheLinears) {
  const auto model = [](const std::string& root) {
    return inner("", root, {list("h", {inner("0", "FooLayer", {linear("x"), inner("m", "M", {linear("y")})})})});
  };
  const std::string nothing = refusal([&] { tp_parser(model("FooModel")); });
  EXPECT_TRUE(has(nothing, "'FooModel'") && has(nothing, "FooLayer.x, FooLayer.m.y")) << nothing;
  const std::string unknown = refusal([&] { tp_parser(model("Foo")); });
  EXPECT_TRUE(has(unknown, "provide a policy") && has(unknown, "FooLayer.m.y")) << unknown;
  for (const char* key : {"Deberta", "Flaubert", "FSMT", "GPT2", "LED", "Longformer", "XLM", "XLNet"}) {
    const std::string message = refusal([&] { tp_parser(model(std::string(key) + "Model")); });
    EXPECT_TRUE(has(message, "'" + std::string(key) + "'")) << message;
  }
}

TEST(Parser, DeepTreesAndEmptyOnesAreRefused) {
  ScannedModule root = inner("", "FooModel", {});
  ScannedModule* last = &root;
  for (int depth = 0; depth < 1000; ++depth) {
    last->children.push_back(inner("x", "X", {}));
    last = &last->children.back();
  }
  refusal([&] { tp_parser(root); }, StatusCode::limit_exceeded);
  refusal([&] { tp_parser(root, "FooModel("); }, StatusCode::limit_exceeded);
  refusal([] { tp_parser(scanned_tree(Blueprint())); });
}

TEST(ScannedTree, OfABlueprint) {
  Blueprint blueprint;
  for (const auto& [path, name] : std::vector<std::pair<const char*, const char*>>{{"", "FooModel"},
                                                                                   {"h", "ModuleList"},
                                                                                   {"h.0", "FooLayer"},
                                                                                   {"h.0.x", "Linear"},
                                                                                   {"h.0.m", "M"},
                                                                                   {"h.0.m.o_proj", "Linear"},
                                                                                   {"h.1", "FooLayer"},
                                                                                   {"h2", "LayerNorm"}}) {
    ModuleSpec spec;
    spec.path = path;
    spec.class_name = name;
    blueprint.modules.push_back(spec);
  }
  EXPECT_EQ(print_scanned(scanned_tree(blueprint)),
            "FooModel(\n  (h): ModuleList(\n    (0): FooLayer(\n      (x): Linear()\n      (m): M(\n"
            "        (o_proj): Linear()\n      )\n    )\n    (1): FooLayer()\n  )\n  (h2): LayerNorm()\n)");
  expect_plan(tp_parser(scanned_tree(blueprint)), {{"FooLayer", {"m.o_proj"}}});
}

}  // namespace
}  // namespace graft
