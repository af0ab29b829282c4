// What decoder families have and Graft does not do is refused by name, and what a class fixes is not read as if it were
// free.
#include <gtest/gtest.h>

#include "core/policies/policy.h"

namespace graft {
namespace {

Blueprint describe(const std::string& model_type, const std::string& extra) {
  const std::string config = R"({"model_type":")" + model_type + R"(","vocab_size":128)" + extra + "}";
  return match_policy(parse_json_object(config, "config.json"), parse_json_object("{}", "generation_config.json"))
      .blueprint;
}

void expect_refused(const std::string& model_type, const std::string& extra, const std::string& key) {
  try {
    describe(model_type, extra);
    FAIL() << model_type << " accepted: " << extra;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::corrupt_data) << error.what();
    EXPECT_NE(std::string(error.what()).find("'" + key + "'"), std::string::npos) << error.what();
  }
}

TEST(DecoderRefusals, Phi) {
  expect_refused("phi", R"(,"qk_layernorm":true)", "qk_layernorm");
  expect_refused("phi", R"(,"num_key_value_heads":5)", "num_key_value_heads");
  expect_refused("phi", R"(,"num_attention_heads":4000)", "num_attention_heads");
  expect_refused("phi", R"(,"hidden_size":8)", "num_attention_heads");
  expect_refused("phi", R"(,"partial_rotary_factor":0.01)", "head_dim");
}

TEST(DecoderRefusals, Falcon) {
  const std::string small = R"(,"hidden_size":64,"num_attention_heads":4)";
  const std::string grouped = small + R"(,"new_decoder_architecture":true)";
  EXPECT_EQ(describe("falcon", small).config.layers[0].attention.kv_heads, 1);
  EXPECT_EQ(describe("falcon", grouped).config.layers[0].attention.kv_heads, 4);
  expect_refused("falcon", R"(,"hidden_size":64,"num_attention_heads":5)", "num_attention_heads");
  expect_refused("falcon", grouped + R"(,"parallel_attn":false)", "parallel_attn");
  expect_refused("falcon", grouped + R"(,"num_kv_heads":3)", "num_kv_heads");
  expect_refused("falcon", grouped + R"(,"num_ln_in_parallel_attn":3)", "num_ln_in_parallel_attn");
  expect_refused("falcon", small + R"(,"num_ln_in_parallel_attn":2)", "num_ln_in_parallel_attn");
  expect_refused("falcon", small + R"(,"multi_query":false,"num_kv_heads":2)", "num_kv_heads");
}

TEST(DecoderRefusals, FalconSlopesAreBfloat16Numbers) {
  const std::string old = R"(,"hidden_size":192,"alibi":true,"num_attention_heads":)";
  EXPECT_EQ(describe("falcon", old + "4").config.layers[0].attention.alibi_slopes,
            (std::vector<float>{0.25f, 0.0625f, 0.015625f, 0.00390625f}));
  EXPECT_EQ(describe("falcon", old + "6").config.layers[0].attention.alibi_slopes,
            (std::vector<float>{0.25f, 0.0625f, 0.015625f, 0.00390625f, 0.5f, 0.125f}));
  EXPECT_EQ(describe("falcon", old + "16").config.layers[0].attention.alibi_slopes[0], 0.70703125f);
}

TEST(DecoderRefusals, Gemma) {
  const std::string small =
      R"(,"hidden_size":64,"intermediate_size":96,"num_hidden_layers":1,"num_attention_heads":16)";
  EXPECT_EQ(describe("gemma", small + R"(,"hidden_act":"gelu")").config.layers[0].feed_forward.activation,
            Activation::gelu_tanh);
  EXPECT_EQ(describe("gemma", small).config.layers[0].attention.head_dim, 256);
  expect_refused("gemma", small + R"(,"use_bidirectional_attention":true)", "use_bidirectional_attention");
}

TEST(DecoderRefusals, Phi3) {
  const std::string rope = R"(,"rope_scaling":{"rope_type":"linear","factor":2})";
  expect_refused("phi3", rope, "rope_scaling");
  expect_refused("phi3", R"(,"rope_scaling":{"type":"yarn","factor":2})", "rope_scaling.short_factor");
}

TEST(DecoderRefusals, Mpt) {
  const auto attention = [](const std::string& inside) { return R"(,"attn_config":{)" + inside + "}"; };
  expect_refused("mpt", attention(R"("clip_qkv":6)"), "attn_config.clip_qkv");
  expect_refused("mpt", attention(R"("qk_ln":true)"), "attn_config.qk_ln");
  expect_refused("mpt", attention(R"("prefix_lm":true)"), "attn_config.prefix_lm");
  expect_refused("mpt", attention(R"("alibi":false)"), "attn_config.alibi");
  expect_refused("mpt", attention(R"("alibi_bias_max":16)"), "attn_config.alibi_bias_max");
  expect_refused("mpt", attention(R"("attn_type":"multiquery_attention")"), "attn_config.attn_type");
  expect_refused("mpt", attention(R"("softmax_scale":0)"), "attn_config.softmax_scale");
  expect_refused("mpt", R"(,"expansion_ratio":2)", "expansion_ratio");
  expect_refused("mpt", R"(,"no_bias":false)", "no_bias");
  expect_refused("mpt", R"(,"logit_scale":0.5)", "logit_scale");
  expect_refused("mpt", R"(,"n_heads":7)", "n_heads");
}

TEST(DecoderRefusals, GptBigCode) {
  expect_refused("gpt_bigcode", R"(,"add_cross_attention":true)", "add_cross_attention");
  expect_refused("gpt_bigcode", R"(,"n_head":7)", "n_head");
}

}  // namespace
}  // namespace graft
