// Every key of DeepSpeedInferenceConfig as data: one row per key. docs/deepspeed-config.md says the same to users, and
// a test holds the two together.
#include "capi/src/deepspeed_config.h"

namespace graft::capi {

// clang-format off
const std::vector<DeepSpeedKey> deepspeed_keys = {
    {"replace_with_kernel_inject", "kernel_inject", "", Effect::honoured, "false", ""},
    {"dtype", "", "", Effect::honoured, "\"fp16\"", ""},
    {"tensor_parallel", "tp", "", Effect::section, "{}", ""},
    {"tensor_parallel.enabled", "", "", Effect::honoured, "true", ""},
    {"tensor_parallel.tp_size", "", "", Effect::honoured, "1", ""},
    {"tensor_parallel.tp_grain_size", "", "", Effect::honoured, "64", ""},
    {"tensor_parallel.mpu", "", "", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"tensor_parallel.tp_group", "", "", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"enable_cuda_graph", "", "", Effect::honoured, "false", ""},
    {"use_triton", "", "", Effect::refused, "false", "Graft has no Triton kernels"},
    {"triton_autotune", "", "", Effect::refused, "false", "Graft has no Triton kernels"},
    {"zero", "", "", Effect::ignored, "{}", ""},
    {"triangular_masking", "tm", "", Effect::ignored, "true", ""},
    {"moe", "", "", Effect::section, "{}", ""},
    {"moe.enabled", "", "", Effect::honoured, "true", ""},
    {"moe.ep_size", "", "", Effect::honoured, "1", ""},
    {"moe.moe_experts", "num_experts", "", Effect::refused, "[1]", "the number of experts is the model's own"},
    {"moe.type", "", "", Effect::refused, "\"standard\"", "the kind of mixture is the model's own"},
    {"moe.ep_mp_group", "", "", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"moe.ep_group", "expert_group", "", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"keep_module_on_host", "", "", Effect::refused, "false", "weights are where the engine runs; set device to cpu"},
    {"quant", "", "", Effect::section, "{}", ""},
    {"quant.enabled", "", "", Effect::honoured, "true", ""},
    {"quant.activation", "", "", Effect::section, "{}", ""},
    {"quant.activation.enabled", "", "", Effect::honoured, "true", ""},
    {"quant.activation.num_bits", "", "", Effect::ignored, "8", ""},
    {"quant.activation.q_type", "", "", Effect::ignored, "\"symmetric\"", ""},
    {"quant.activation.q_groups", "", "", Effect::ignored, "1", ""},
    {"quant.weight", "", "", Effect::section, "{}", ""},
    {"quant.weight.enabled", "", "", Effect::honoured, "true", ""},
    {"quant.weight.num_bits", "", "", Effect::honoured, "8", ""},
    {"quant.weight.q_type", "", "", Effect::refused, "\"symmetric\"", "weights are quantised symmetrically"},
    {"quant.weight.q_groups", "", "", Effect::refused, "1", "groups are given by their size (quantization.group_size)"},
    {"quant.weight.quantized_initialization", "", "", Effect::refused, "{}", "weights are quantised while they are loaded"},
    {"quant.weight.post_init_quant", "", "", Effect::refused, "{}", "weights are quantised while they are loaded"},
    {"quant.qkv", "", "", Effect::section, "{}", ""},
    {"quant.qkv.enabled", "", "", Effect::honoured, "true", ""},
    {"checkpoint", "", "", Effect::refused, "null", "open the directory of the checkpoint"},
    {"base_dir", "", "", Effect::refused, "\"\"", "open the directory of the checkpoint"},
    {"set_empty_params", "", "", Effect::ignored, "false", ""},
    {"save_mp_checkpoint_path", "", "", Effect::refused, "null", "opening a model writes no files"},
    {"checkpoint_config", "ckpt_config", "", Effect::section, "{}", ""},
    {"checkpoint_config.checkpoint_dir", "", "", Effect::ignored, "null", ""},
    {"checkpoint_config.save_mp_checkpoint_path", "", "", Effect::ignored, "null", ""},
    {"checkpoint_config.base_dir", "", "", Effect::ignored, "null", ""},
    {"return_tuple", "", "", Effect::ignored, "true", ""},
    {"training_mp_size", "", "", Effect::refused, "1", "only whole checkpoints are read"},
    {"injection_policy", "injection_dict", "", Effect::honoured, "null", ""},
    {"injection_policy_tuple", "", "", Effect::refused, "null", "DeepSpeed sets it for itself; give injection_policy"},
    {"config", "args", "", Effect::refused, "null", "the configuration is the model's own config.json"},
    {"max_out_tokens", "max_tokens", "", Effect::honoured, "1024", ""},
    {"min_out_tokens", "min_tokens", "", Effect::honoured, "1", ""},
    {"transposed_mode", "", "", Effect::ignored, "false", ""},
    {"mp_size", "", "tensor_parallel.tp_size", Effect::honoured, "1", ""},
    {"mpu", "", "tensor_parallel.mpu", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"ep_size", "", "moe.ep_size", Effect::honoured, "1", ""},
    {"ep_group", "expert_group", "moe.ep_group", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"ep_mp_group", "expert_mp_group", "moe.ep_mp_group", Effect::refused, "null", "ranks are numbered by Graft (rank, world)"},
    {"moe_experts", "", "moe.moe_experts", Effect::refused, "[1]", "the number of experts is the model's own"},
    {"moe_type", "", "moe.type", Effect::refused, "\"standard\"", "the kind of mixture is the model's own"},
    {"replace_method", "", "", Effect::ignored, "\"auto\"", ""},
};
// clang-format on

const DeepSpeedKey* find_deepspeed_key(const std::string& section, const std::string& name) {
  for (const DeepSpeedKey& row : deepspeed_keys) {
    const std::string_view path = row.name;
    const std::size_t dot = path.rfind('.');
    const std::string_view place = dot == std::string_view::npos ? "" : path.substr(0, dot);
    const std::string_view last = dot == std::string_view::npos ? path : path.substr(dot + 1);
    if (place == section && (name == last || (*row.alias != '\0' && name == row.alias))) return &row;
  }
  return nullptr;
}

}  // namespace graft::capi
