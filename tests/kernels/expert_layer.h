// A small layer of experts, made of the ops as an engine would, with what Transformers 5.23.0 answers for it. Weights
// are value(i) = ((i * step + offset) % 17 - 8) / 8 for element i.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "kernels/spec/activation.h"
#include "kernels/spec/combine_experts.h"
#include "kernels/spec/expert_linear.h"
#include "kernels/spec/route_experts.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {

inline std::vector<float> layer_values(int64_t count, int64_t step, int64_t offset) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>((i * step + offset) % 17 - 8) / 8);
  return values;
}

/// Memory: made from a vector, with as<T>(). Run: run(op, args) runs an op whose arguments point to such memory.
template <class Memory, class Run>
class ExpertLayer {
 public:
  static constexpr int32_t rows = 3, experts = 6;
  static constexpr int64_t hidden = 4, width = 3;

  explicit ExpertLayer(Run run) : run_(std::move(run)) {
    x_ = keep(layer_values(rows * hidden, 2, 4));
    router_ = keep(layer_values(experts * hidden, 3, 1));
    gate_up_ = keep(layer_values(experts * 2 * width * hidden, 5, 2));
    down_ = keep(layer_values(experts * hidden * width, 7, 4));
    rows_ = integers(1, rows);
    logits_ = floats(rows * experts);
    out_ = floats(rows * hidden);
  }

  /// Adds what experts first ... first + local - 1 make of the rows, as one rank does. `how`: score, kind, top_k.
  void add(RouteExpertsArgs how, int32_t first, int32_t local, bool weigh_input = false) {
    linear(x_, hidden, router_, experts, logits_);
    const int32_t top_k = how.top_k;
    how.rows = rows_;
    how.capacity = rows;
    how.experts = experts;
    how.logits = logits_;
    how.logits_stride = experts;
    how.first_expert = first;
    how.local_experts = local;
    how.expert_ids = integers(rows * top_k);
    how.weights = floats(rows * top_k);
    how.entries = integers(rows * top_k);
    how.positions = integers(rows * top_k);
    how.offsets = integers(local + 1);
    run_(Op::route_experts, how);

    ExpertLinearArgs up = {};
    up.offsets = how.offsets;
    up.capacity = rows;
    up.top_k = top_k;
    up.experts = local;
    up.in_features = up.x_stride = hidden;
    up.x = x_;
    up.entries = how.entries;
    if (weigh_input) up.entry_scales = how.weights;
    const float* weights = gate_up_ + first * 2 * width * hidden;
    up.segments[0] = {{weights, nullptr, DType::float32, DType::float32, 2 * width}, 2 * width};
    up.segment_count = 1;
    up.out_stride = 2 * width;
    up.out = floats(rows * top_k * 2 * width);
    run_(Op::expert_linear, up);

    ExpertLinearArgs down = up;
    down.in_features = down.x_stride = width;
    down.x = activate(how.offsets + local, rows * top_k, width, up.out);
    down.entries = nullptr;
    down.entry_scales = nullptr;
    down.segments[0] = {{down_ + first * hidden * width, nullptr, DType::float32, DType::float32, hidden}, hidden};
    down.out_stride = hidden;
    down.out = floats(rows * top_k * hidden);
    run_(Op::expert_linear, down);

    CombineExpertsArgs sum = {};
    sum.rows = rows_;
    sum.capacity = rows;
    sum.top_k = top_k;
    sum.width = sum.x_stride = sum.out_stride = hidden;
    sum.positions = how.positions;
    if (!weigh_input) sum.weights = how.weights;
    sum.x = down.out;
    sum.base = base_;
    sum.base_gate = base_gate_;
    sum.out = out_;
    run_(Op::combine_experts, sum);
    base_ = out_;
    base_gate_ = nullptr;
  }

  /// An expert of `of_width` for all rows, before the others; with a gate as Qwen2-MoE has.
  void add_shared(int64_t of_width, bool gated) {
    const float* gate_up = keep(join(layer_values(of_width * hidden, 3, 5), layer_values(of_width * hidden, 6, 1)));
    float* both = floats(rows * 2 * of_width);
    linear(x_, hidden, gate_up, 2 * of_width, both);
    const float* down = keep(layer_values(hidden * of_width, 4, 6));
    float* shared = floats(rows * hidden);
    linear(activate(rows_, rows, of_width, both), of_width, down, hidden, shared);
    base_ = shared;
    if (!gated) return;
    float* gate = floats(rows);
    linear(x_, hidden, keep(layer_values(hidden, 2, 7)), 1, gate);
    base_gate_ = gate;
  }

  std::vector<float> out() const { return std::vector<float>(out_, out_ + rows * hidden); }

 private:
  template <class T>
  auto* keep(const std::vector<T>& values) {
    memory_.push_back(std::make_unique<Memory>(values));
    return memory_.back()->template as<T>();
  }
  float* floats(int64_t count) { return keep(std::vector<float>(static_cast<size_t>(count), -77.0f)); }
  int32_t* integers(int64_t count, int32_t value = -77) {
    return keep(std::vector<int32_t>(static_cast<size_t>(count), value));
  }
  static std::vector<float> join(std::vector<float> a, const std::vector<float>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  void linear(const float* x, int64_t in, const float* weights, int64_t outputs, float* out) {
    LinearArgs args = {};
    args.rows = rows_;
    args.capacity = rows;
    args.in_features = args.x_stride = in;
    args.x = x;
    args.segments[0] = {weights, nullptr, DType::float32, DType::float32, outputs};
    args.segment_count = 1;
    args.out = out;
    args.out_stride = outputs;
    run_(Op::linear, args);
  }

  const float* activate(const int32_t* count, int64_t capacity, int64_t of_width, const float* x) {
    ActivationArgs args = {};
    args.rows = count;
    args.capacity = capacity;
    args.width = args.out_stride = of_width;
    args.kind = Activation::silu;
    args.gated = true;
    args.x = x;
    args.x_stride = 2 * of_width;
    args.out = floats(capacity * of_width);
    run_(Op::activation, args);
    return args.out;
  }

  Run run_;
  std::vector<std::unique_ptr<Memory>> memory_;
  const float *x_, *router_, *gate_up_, *down_, *base_ = nullptr, *base_gate_ = nullptr;
  const int32_t* rows_;
  float *logits_, *out_;
};

/// Fails unless the ops that `run` runs answer as Transformers does, by one rank and by two.
template <class Memory, class Run>
void expect_layers_right(const Run& run, double relative) {
  const std::vector<float> qwen3_moe = {0.03944444f, 0.002844912f, -0.05000879f, -0.02289394f,
                                        0.2010475f,  0.2961504f,   0.01646033f,  -0.3052048f,
                                        0.04264374f, 0.01344702f,  -0.05590982f, -0.06572915f};
  const std::vector<float> qwen2_moe = {0.004244881f, 0.06145417f, -0.04630167f, 0.04734688f,
                                        0.1891987f,   0.1807088f,  0.04011782f,  -0.3164541f,
                                        0.001344839f, 0.08884135f, -0.05451824f, 0.04463879f};
  const std::vector<float> llama4 = {0.01427775f, -0.01274721f, 0.09218545f, -0.05867826f, -0.2442651f, 0.3892201f,
                                     0.1513743f,  -0.1737578f,  0.04385795f, 0.005282053f, 0.1078647f,  -0.06865101f};
  for (const int32_t cut : {0, 2}) {  // experts of the first of two ranks
    SCOPED_TRACE("cut " + std::to_string(cut));
    RouteExpertsArgs how = {};
    how.top_k = 2;
    how.score = RouterScore::softmax;
    how.kind = RouterWeights::normalised;
    const auto answer = [&](bool weigh_input, int64_t shared_width, bool gated) {
      ExpertLayer<Memory, Run> layer(run);
      if (shared_width > 0) layer.add_shared(shared_width, gated);
      if (cut > 0) layer.add(how, 0, cut, weigh_input);
      layer.add(how, cut, 6 - cut, weigh_input);
      return layer.out();
    };
    EXPECT_EQ(difference(answer(false, 0, false), qwen3_moe, relative, 0.1), "") << "Qwen3MoeSparseMoeBlock";
    how.kind = RouterWeights::scores;
    EXPECT_EQ(difference(answer(false, 2, true), qwen2_moe, relative, 0.1), "") << "Qwen2MoeSparseMoeBlock";
    how.score = RouterScore::sigmoid;
    how.top_k = 1;
    EXPECT_EQ(difference(answer(true, 3, false), llama4, relative, 0.1), "") << "Llama4TextMoe";
  }
}

}  // namespace graft::kernels::testing
