// Quantised weights in the kernels against the client model in float32 whose layers hold the same weights, quantised
// and widened again by the formula. Both then multiply with equal numbers, so only the order of summation differs.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/containers/group_quantizer.h"
#include "tests/engine/encoder_steps.h"
#include "tests/engine/loaded.h"

namespace graft {
namespace {

constexpr double tolerance = 1e-4;

/// [out, in] to what its quantised form stands for.
at::Tensor round_trip(const at::Tensor& weight, const Quantization& quantization) {
  at::Tensor rounded = weight.clone().contiguous();
  const int64_t width = weight.size(1), group_size = quantization.group_size > 0 ? quantization.group_size : width;
  std::vector<int8_t> values(static_cast<size_t>(width));
  std::vector<float> scales(static_cast<size_t>(groups_of_row(width, group_size)));
  for (int64_t r = 0; r < weight.size(0); ++r) {
    float* row = rounded.data_ptr<float>() + r * width;
    quantize_row(row, width, group_size, quantization.bits, values.data(), scales.data(), "w");
    for (int64_t i = 0; i < width; ++i) {
      row[i] = static_cast<float>(values[static_cast<size_t>(i)]) * scales[static_cast<size_t>(i / group_size)];
    }
  }
  return rounded;
}

/// A client model with rounded linears in its layers, where a runner has its own model.
class RoundedModel {
 public:
  RoundedModel(const std::string& name, const Quantization& quantization)
      : plan_(plan_model((cases_folder() / name).string(), {.dtype = "float32", .injection = InjectionMode::none})),
        cache_(plan_.cache.kinds, plan_.memory.cache_blocks),
        step_(plan_.limits, cache_, plan_.traits) {
    const c10::InferenceMode guard;
    std::unique_ptr<Module> root = load_tree(plan_, DType::float32);
    for (Module* layer : decoder_layers(*root)) round_below(*layer, quantization);
    client_ = std::make_unique<ClientModel>(plan_.config(), std::move(root), *ranks_, plan_.head_columns);
  }

  const ModelPlan& plan() const { return plan_; }
  CachePool& cache() { return cache_; }
  StepBuffer& step() { return step_; }
  StepOutput run() {
    const c10::InferenceMode guard;
    outputs_ = client_->forward(step_.view(), cache_, plan_.cache.layers);
    return {outputs_.logits.defined() ? outputs_.logits.const_data_ptr<float>() : nullptr,
            outputs_.hidden.const_data_ptr<float>()};
  }
  int64_t rounded() const { return rounded_; }

 private:
  void round_below(Module& module, const Quantization& quantization) {
    for (Parameter& parameter : module.parameters()) {
      if (parameter.value.dim() != 2) continue;
      const bool in_out = module.spec().layout == LinearLayout::in_out;
      const at::Tensor rows = in_out ? parameter.value.t().contiguous() : parameter.value;
      const at::Tensor rounded = round_trip(rows, quantization);
      parameter.value = in_out ? rounded.t().contiguous() : rounded;
      ++rounded_;
    }
    for (const auto& child : module.children()) round_below(*child, quantization);
  }

  ModelPlan plan_;
  CachePool cache_;
  StepBuffer step_;
  std::unique_ptr<Communicator> ranks_ = make_single_communicator();
  std::unique_ptr<ClientModel> client_;
  ClientModel::Outputs outputs_;
  int64_t rounded_ = 0;
};

struct Given {
  std::string name;
  bool encoder;
  Quantization quantization;
};

class Quantized : public testing::TestWithParam<Given> {};

TEST_P(Quantized, FusedLayersAgreeWithTheRoundedClientModel) {
  const auto& [name, encoder, quantization] = GetParam();
  std::vector<Tokens> prompts, types;
  std::vector<Matrix> exact, patches;
  if (encoder) {
    const EncoderCase given = conformance::read_encoder_case(cases_folder() / name);
    prompts = given.prompts;
    types = given.token_types;
    exact = given.hidden;
    patches = given.patches;
  } else {
    prompts = conformance::read_case(cases_folder() / name).prompts;
    types.resize(prompts.size());
    const auto matrices = conformance::read_matrices(cases_folder() / name / "expected.safetensors");
    for (size_t i = 0; i < prompts.size(); ++i) exact.push_back(matrices.at("hidden." + std::to_string(i)));
  }
  RoundedModel rounded(name, quantization);
  EXPECT_GE(rounded.rounded(), 4 * static_cast<int64_t>(rounded.plan().config().layers.size()));
  const Rows expected = run_step(rounded, prompts, types, patches);

  EngineOptions options;
  options.dtype = "float32";
  options.quantization = quantization;
  options.threads = 2;
  ModelRunner runner(plan_model((cases_folder() / name).string(), options), options, make_single_communicator(),
                     nullptr);
  const Rows got = run_step(runner, prompts, types, patches);
  const double error = error_of(got.hidden, expected.hidden);
  RecordProperty("error", std::to_string(error));
  EXPECT_LT(error, tolerance);
  EXPECT_LT(error_of(got.logits, expected.logits), tolerance);
  EXPECT_GT(error_of(got.hidden, exact), 10 * tolerance) << "as far as the exact model: nothing was quantised";
}

std::string test_name(const testing::TestParamInfo<Given>& info) {
  const Quantization& q = info.param.quantization;
  return info.param.name + "_int" + std::to_string(q.bits) + "_" +
         (q.group_size > 0 ? std::to_string(q.group_size) : "row");
}

std::vector<Given> given() {
  std::vector<Given> all;
  for (const auto& [name, encoder] :
       {std::pair{"llama_gqa", false}, {"gpt2_plain", false}, {"bert_base", true}, {"clip_vision_base", true}}) {
    for (const Quantization& quantization :
         {Quantization{8, 0}, Quantization{8, 128}, Quantization{4, 32}, Quantization{4, 24}}) {
      all.push_back({name, encoder, quantization});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cases, Quantized, testing::ValuesIn(given()), test_name);

}  // namespace
}  // namespace graft
