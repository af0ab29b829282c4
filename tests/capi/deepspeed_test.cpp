// DeepSpeed-Inference's JSON through graft_engine_options_set_json: what each key becomes is read from the fake core,
// which repeats the options it was given.
#include <vector>

#include "tests/capi/scenario.h"

namespace graft::test {
namespace {

struct Honoured {
  const char* json;
  const char* native;  // the same in Graft's own keys
};

struct Refused {
  const char* json;
  graft_status status;
  std::vector<const char*> words;
};

constexpr graft_status invalid = GRAFT_STATUS_INVALID_ARGUMENT;
constexpr graft_status unsupported = GRAFT_STATUS_UNSUPPORTED;

class DeepSpeed : public Scenario {
 protected:
  template <class Body>
  void with_library(Body&& body) {
    setenv("GRAFT_LIBTORCH", make_torch("torch", "2.11.0").c_str(), 1);
    in_process([&] { body(open_library()); });
  }

  static graft_engine_options* new_options(void* library) {
    graft_engine_options* options = nullptr;
    GRAFT_OF(library, graft_engine_options_new)(&options);
    return options;
  }

  // The options as the core sees them, or the error text.
  static std::string seen(void* library, const std::string& json) {
    graft_engine_options* options = new_options(library);
    const auto text = GRAFT_OF(library, graft_last_error_message);
    std::string result = "refused: ";
    if (GRAFT_OF(library, graft_engine_options_set_json)(options, json.c_str(), -1) == GRAFT_STATUS_OK) {
      graft_engine* engine = nullptr;
      GRAFT_OF(library, graft_engine_open)("options", -1, options, &engine);
      result.clear();
    }
    result += text();
    GRAFT_OF(library, graft_engine_options_free)(options);
    return result;
  }
};

TEST_F(DeepSpeed, HonouredKeys) {
  with_library([](void* library) {
    GRAFT_OF(library, graft_log_set_level)(GRAFT_LOG_OFF);
    const Honoured cases[] = {
        {R"({"replace_with_kernel_inject":true})", R"({"injection":"kernel"})"},
        {R"({"kernel_inject":true,"tp":{"tp_size":2}})", R"({"injection":"kernel","tensor_parallel":2})"},
        {R"({"replace_with_kernel_inject":false,"tensor_parallel":{"tp_size":2}})",
         R"({"injection":"auto","tensor_parallel":2})"},
        {R"({"kernel_inject":true,"replace_with_kernel_inject":true})", R"({"injection":"kernel"})"},
        {R"({"dtype":"half"})", R"({"dtype":"float16"})"},
        {R"({"dtype":"fp16"})", R"({"dtype":"float16"})"},
        {R"({"dtype":"torch.float16"})", R"({"dtype":"float16"})"},
        {R"({"dtype":"torch.float32"})", R"({"dtype":"float32"})"},
        {R"({"dtype":"fp32"})", R"({"dtype":"float32"})"},
        {R"({"dtype":"float"})", R"({"dtype":"float32"})"},
        {R"({"dtype":"bf16"})", R"({"dtype":"bfloat16"})"},
        {R"({"dtype":"torch.bfloat16"})", R"({"dtype":"bfloat16"})"},
        {R"({"dtype":"torch.int8"})", R"({"dtype":"int8"})"},
        {R"({"tensor_parallel":{"enabled":false,"tp_size":4}})", R"({"tensor_parallel":1})"},
        {R"({"tensor_parallel":{"enabled":true,"tp_size":4,"mpu":null,"tp_group":null}})", R"({"tensor_parallel":4})"},
        {R"({"mp_size":3})", R"({"tensor_parallel":3})"},
        {R"({"mp_size":3,"tp":{"tp_grain_size":64}})", R"({"tensor_parallel":3})"},
        {R"({"enable_cuda_graph":true})", R"({"graph":true})"},
        {R"({"enable_cuda_graph":false})", R"({"graph":false})"},
        {R"({"max_out_tokens":77})", R"({"context_limit":77})"},
        {R"({"max_tokens":77,"context_limit":77})", R"({"context_limit":77})"},
        {R"({"moe":{"enabled":true,"ep_size":2,"num_experts":[1],"type":"standard","ep_group":null}})",
         R"({"expert_parallel":2})"},
        {R"({"moe":{"enabled":false,"ep_size":2}})", R"({"expert_parallel":1})"},
        {R"({"ep_size":2,"moe":true})", R"({"expert_parallel":2})"},
        {R"({"quant":{"enabled":true}})", R"({"quantization":{"bits":8}})"},
        {R"({"quant":{"weight":{"num_bits":4,"q_type":"symmetric","q_groups":1},"qkv":{"enabled":true}}})",
         R"({"quantization":{"bits":4}})"},
        {R"({"quant":{"enabled":false,"weight":{"num_bits":4}}})", "{}"},
        {R"({"quant":{"weight":{"enabled":false}}})", "{}"},
        {R"({"quant":{"enabled":true,"activation":{"enabled":false,"num_bits":8}}})", R"({"quantization":{"bits":8}})"},
        // Defaults, and keys without effect.
        {R"({"zero":{"stage":0},"tm":false,"triangular_masking":false,"return_tuple":false,"set_empty_params":true,
            "transposed_mode":true,"replace_method":"auto","checkpoint_config":{"checkpoint_dir":"x"},"moe":false,
            "quant":{},"tp":{},"use_triton":false,"triton_autotune":false,"checkpoint":null,"base_dir":"",
            "save_mp_checkpoint_path":null,"training_mp_size":1,"injection_policy":null,"injection_policy_tuple":null,
            "args":null,"keep_module_on_host":false,"mpu":null,"expert_group":null,"expert_mp_group":null,
            "moe_experts":1,"moe_type":"standard"})",
         "{}"},
        // "auto" is dropped, in sections too.
        {R"({"tensor_parallel":{"tp_size":"auto"},"max_out_tokens":"auto","quant":"auto","mp_size":"auto",
            "checkpoint":"auto"})",
         "{}"},
    };
    for (const Honoured& one : cases) EXPECT_EQ(seen(library, one.json), seen(library, one.native)) << one.json;
    EXPECT_EQ(seen(library, R"({"tp":{"tp_grain_size":7}})"), "auto auto  0 0 1 7 1 -1 0 0 0 1 0 0 0 0 0 10 0 0 ");
    EXPECT_EQ(seen(library, R"({"min_tokens":5})"), "auto auto  0 0 1 64 1 -1 0 0 0 1 0 0 5 0 0 10 0 0 ");
    for (const char* key : {"injection_policy", "injection_dict"}) {
      const std::string json = "{\"" + std::string(key) + R"(":{"A":"x.y","B":["o_proj","down_proj"]}})";
      const std::string found = seen(library, json);
      EXPECT_NE(found.find(" A:x.y, B:o_proj,down_proj,"), std::string::npos) << found;
    }
  });
}

TEST_F(DeepSpeed, RefusedValues) {
  with_library([](void* library) {
    GRAFT_OF(library, graft_log_set_level)(GRAFT_LOG_OFF);
    const Refused cases[] = {
        // Unknown keys, the nearest name first.
        {R"({"max_out_token":5})", invalid, {"unknown key 'max_out_token'", "expected one of max_out_tokens"}},
        {R"({"zzz":"auto"})", invalid, {"'zzz'"}},
        {R"({"tp":{"tpsize":5}})", invalid, {"unknown key 'tp.tpsize'", "one of tp_size"}},
        {R"({"quant":{"weight":{"bits":5}}})", invalid, {"'quant.weight.bits'", "num_bits"}},
        {R"({"checkpoint_config":{"directory":5}})", invalid, {"'checkpoint_config.directory'", "checkpoint_dir"}},
        // Two names of one key; deprecated and new.
        {R"({"kernel_inject":true,"replace_with_kernel_inject":false})",
         invalid,
         {"kernel_inject", "replace_with_kernel_inject", "different"}},
        {R"({"max_tokens":1,"max_out_tokens":2})", invalid, {"max_tokens", "max_out_tokens"}},
        {R"({"tp":{"tp_size":1},"tensor_parallel":{"tp_size":2}})", invalid, {"tp", "tensor_parallel"}},
        {R"({"mp_size":2,"tp":{"tp_size":2}})", invalid, {"mp_size", "tp.tp_size", "deprecated"}},
        {R"({"mp_size":2,"tensor_parallel":2})", invalid, {"mp_size", "tensor_parallel", "deprecated"}},
        {R"({"ep_size":2,"moe":{"ep_size":2}})", invalid, {"ep_size", "moe.ep_size"}},
        {R"({"moe_type":"standard","moe":{"type":"standard"}})", invalid, {"moe_type", "moe.type"}},
        {R"({"moe_experts":[1],"moe":{"num_experts":[1]}})", invalid, {"moe_experts", "moe.num_experts"}},
        {R"({"mpu":null,"tp":{"mpu":null}})", invalid, {"mpu", "tp.mpu"}},
        {R"({"ep_group":null,"moe":{"ep_group":null}})", invalid, {"ep_group", "moe.ep_group"}},
        {R"({"ep_mp_group":null,"moe":{"ep_mp_group":null}})", invalid, {"ep_mp_group", "moe.ep_mp_group"}},
        // Graft's key and DeepSpeed's for the same thing.
        {R"({"enable_cuda_graph":true,"graph":false})", invalid, {"enable_cuda_graph", "graph", "same value"}},
        {R"({"max_out_tokens":9,"context_limit":8})", invalid, {"max_out_tokens", "context_limit"}},
        {R"({"quant":{"enabled":true},"quantization":{"bits":4}})", invalid, {"quant.enabled", "quantization"}},
        {R"({"kernel_inject":true,"injection_dict":{"A":"x"}})", invalid, {"injection_dict", "kernel_inject"}},
        // Types and ranges.
        {R"({"kernel_inject":1})", invalid, {"kernel_inject", "true or false"}},
        {R"({"dtype":16})", invalid, {"dtype", "16"}},
        {R"({"tp":{"tp_size":0}})", invalid, {"tp.tp_size", "0", "1 or more"}},
        {R"({"tp":{"tp_size":"2"}})", invalid, {"tp.tp_size", "an integer"}},
        {R"({"tp":{"tp_grain_size":0}})", invalid, {"tp.tp_grain_size"}},
        {R"({"tp":[2]})", invalid, {"tp", "array"}},
        {R"({"moe":3})", invalid, {"moe", "true, false or an object"}},
        {R"({"quant":true})", invalid, {"quant", "an object"}},
        {R"({"zero":3})", invalid, {"zero", "an object"}},
        {R"({"max_tokens":0})", invalid, {"max_tokens", "1 or more"}},
        {R"({"min_tokens":9,"max_tokens":8})", invalid, {"min_tokens", "max_tokens"}},
        {R"({"quant":{"weight":{"num_bits":6}}})", invalid, {"quant.weight.num_bits", "6", "4 or 8"}},
        {R"({"injection_policy":["A"]})", invalid, {"injection_policy", "an object"}},
        {R"({"injection_policy":{"A":[]}})", invalid, {"injection_policy.A"}},
        {R"({"injection_policy":{"A":[1]}})", invalid, {"injection_policy.A", "a text"}},
        {R"({"injection_policy":{"":"x"}})", invalid, {"injection_policy", "empty"}},
        // Understood, and not offered.
        {R"({"use_triton":true})", unsupported, {"use_triton", "Triton"}},
        {R"({"triton_autotune":true})", unsupported, {"triton_autotune"}},
        {R"({"tp":{"mpu":{}}})", unsupported, {"tp.mpu"}},
        {R"({"tp":{"tp_group":1}})", unsupported, {"tp.tp_group"}},
        {R"({"mpu":{}})", unsupported, {"mpu"}},
        {R"({"moe":{"moe_experts":[8]}})", unsupported, {"moe.moe_experts", "[8]"}},
        {R"({"moe_experts":8})", unsupported, {"moe_experts", "8"}},
        {R"({"moe":{"type":"residual"}})", unsupported, {"moe.type", "residual"}},
        {R"({"moe":{"ep_mp_group":1}})", unsupported, {"moe.ep_mp_group"}},
        {R"({"moe":{"expert_group":1}})", unsupported, {"moe.expert_group"}},
        {R"({"keep_module_on_host":true})", unsupported, {"keep_module_on_host", "cpu"}},
        {R"({"quant":{"activation":{"enabled":true}}})", unsupported, {"quant.activation"}},
        {R"({"quant":{"activation":{"num_bits":8}}})", unsupported, {"quant.activation"}},
        {R"({"quant":{"weight":{"q_type":"asymmetric"}}})", unsupported, {"quant.weight.q_type"}},
        {R"({"quant":{"weight":{"q_groups":32}}})", unsupported, {"quant.weight.q_groups", "group_size"}},
        {R"({"quant":{"weight":{"post_init_quant":{"a":1}}}})", unsupported, {"quant.weight.post_init_quant"}},
        {R"({"quant":{"weight":{"quantized_initialization":{"a":1}}}})", unsupported, {"quantized_initialization"}},
        {R"({"quant":{"enabled":true,"qkv":{"enabled":false}}})", unsupported, {"quant.qkv.enabled"}},
        {R"({"checkpoint":"x.json"})", unsupported, {"checkpoint", "x.json"}},
        {R"({"checkpoint":{"type":"BLOOM"}})", unsupported, {"checkpoint"}},
        {R"({"base_dir":"/x"})", unsupported, {"base_dir"}},
        {R"({"save_mp_checkpoint_path":"/x"})", unsupported, {"save_mp_checkpoint_path"}},
        {R"({"training_mp_size":2})", unsupported, {"training_mp_size"}},
        {R"({"injection_policy_tuple":["x"]})", unsupported, {"injection_policy_tuple", "injection_policy"}},
        {R"({"args":{"hidden_size":1}})", unsupported, {"args"}},
    };
    graft_engine_options* options = new_options(library);
    for (const Refused& one : cases) {
      EXPECT_EQ(GRAFT_OF(library, graft_engine_options_set_json)(options, one.json, -1), one.status) << one.json;
      const std::string text = GRAFT_OF(library, graft_last_error_message)();
      for (const char* word : one.words) EXPECT_NE(text.find(word), std::string::npos) << text << " lacks " << word;
    }
    GRAFT_OF(library, graft_engine_options_free)(options);
  });
}

// Its setter's text is in the library that the program itself is linked with.
TEST(DeepSpeedOptions, UnknownType) {
  graft_engine_options* options = nullptr;
  ASSERT_EQ(graft_engine_options_new(&options), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_set_json(options, R"({"dtype":"torch.fp8"})", -1), invalid);
  EXPECT_NE(std::string(graft_last_error_message()).find("dtype: found 'torch.fp8'"), std::string::npos)
      << graft_last_error_message();
  graft_engine_options_free(options);
}

TEST_F(DeepSpeed, DeprecatedKeysWarn) {
  with_library([](void* library) {
    std::vector<std::string> lines;
    GRAFT_OF(library, graft_log_set_level)(GRAFT_LOG_WARNING);
    GRAFT_OF(library, graft_log_set_callback)
    ([](void* user, int32_t,
        const char* message) { static_cast<std::vector<std::string>*>(user)->emplace_back(message); },
     &lines);
    seen(library, R"({"mp_size":2,"tp":{"tp_size":2}})");
    EXPECT_TRUE(lines.empty()) << "what is refused does not warn";
    seen(library, R"({"mp_size":2})");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("mp_size is deprecated, use tensor_parallel.tp_size"), std::string::npos) << lines[0];
    seen(library,
         R"({"ep_size":1,"expert_group":null,"expert_mp_group":null,"moe_experts":[1],"moe_type":"standard"})");
    EXPECT_EQ(lines.size(), 6U);
    seen(library, R"({"replace_method":"auto"})");
    EXPECT_EQ(lines.size(), 7U);
    seen(library, R"({"tensor_parallel":{"tp_size":2},"kernel_inject":true})");
    EXPECT_EQ(lines.size(), 7U);
  });
}

}  // namespace
}  // namespace graft::test
