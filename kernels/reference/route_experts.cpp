#include "kernels/spec/route_experts.h"

#include <math.h>

#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

constexpr int32_t most = RouteExpertsArgs::max_experts;

/// Whether a comes before b: larger, NaN largest of all. Equal numbers are left as they stand.
bool before(double a, double b) { return isnan(a) ? !isnan(b) : a > b; }

/// The index of the first of `values` by `before` among those not `taken`; -1 when all are.
int32_t best(const double* values, const bool* taken, int32_t begin, int32_t end) {
  int32_t found = -1;
  for (int32_t i = begin; i < end; ++i) {
    if (!taken[i] && (found < 0 || before(values[i], values[found]))) found = i;
  }
  return found;
}

void find_scores(const RouteExpertsArgs& a, const float* logits, double* scores) {
  double largest = -INFINITY, sum = 0;
  for (int32_t e = 0; e < a.experts; ++e) largest = fmax(largest, logits[e]);
  for (int32_t e = 0; e < a.experts; ++e) sum += exp(logits[e] - largest);
  for (int32_t e = 0; e < a.experts; ++e) {
    scores[e] = a.score == RouterScore::softmax   ? exp(logits[e] - largest) / sum
                : a.score == RouterScore::sigmoid ? 1 / (1 + exp(-static_cast<double>(logits[e])))
                                                  : logits[e];
  }
}

/// Takes the experts of all groups but the best away.
void take_groups(const RouteExpertsArgs& a, const double* keys, bool* taken) {
  const int32_t size = a.experts / a.groups;
  double sums[RouteExpertsArgs::max_groups] = {};
  bool chosen[RouteExpertsArgs::max_groups] = {};
  for (int32_t g = 0; g < a.groups; ++g) {
    bool counted[most] = {};
    for (int32_t i = 0; i < a.group_best; ++i) {
      const int32_t expert = best(keys, counted, g * size, (g + 1) * size);
      counted[expert] = true;
      sums[g] += keys[expert];
    }
  }
  for (int32_t i = 0; i < a.top_groups; ++i) chosen[best(sums, chosen, 0, a.groups)] = true;
  for (int32_t e = 0; e < a.experts; ++e) taken[e] = !chosen[e / size];
}

void weigh(const RouteExpertsArgs& a, const int32_t* ids, const double* scores, float* weights) {
  double values[RouteExpertsArgs::max_top_k], sum = 0;
  for (int32_t s = 0; s < a.top_k; ++s) {
    const double score = scores[ids[s]];
    double largest = score;
    for (int32_t t = 0; t < a.top_k; ++t) largest = fmax(largest, scores[ids[t]]);
    values[s] = a.kind == RouterWeights::softmax ? exp(score - largest) : score;
    sum += values[s];
  }
  if (a.kind == RouterWeights::normalised) sum = fmax(sum, a.least_sum);
  if (a.kind == RouterWeights::scores) sum = 1;
  for (int32_t s = 0; s < a.top_k; ++s) {
    const double own = a.expert_scale != nullptr ? load_float(a.expert_scale, ids[s], a.expert_scale_dtype) : 1.0f;
    weights[s] = static_cast<float>(values[s] / sum * a.scale * own);
  }
}

void route(const RouteExpertsArgs& a, const float* logits, int32_t* ids, float* weights) {
  double scores[most], keys[most];
  bool taken[most] = {};
  find_scores(a, logits, scores);
  const bool plain = a.selection_bias == nullptr && a.groups <= 1;
  for (int32_t e = 0; e < a.experts; ++e) {
    keys[e] = plain ? logits[e] : scores[e];
    if (a.selection_bias != nullptr) keys[e] += load_float(a.selection_bias, e, a.selection_bias_dtype);
  }
  if (a.groups > 1) take_groups(a, keys, taken);
  for (int32_t s = 0; s < a.top_k; ++s) {
    ids[s] = best(keys, taken, 0, a.experts);
    taken[ids[s]] = true;
  }
  weigh(a, ids, scores, weights);
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const RouteExpertsArgs*>(args);
  const int32_t count = *a.rows * a.top_k;
  for (int64_t r = 0; r < *a.rows; ++r) {
    route(a, a.logits + r * a.logits_stride, a.expert_ids + r * a.top_k, a.weights + r * a.top_k);
  }
  int32_t position = 0;
  for (int32_t i = 0; i < count; ++i) a.positions[i] = -1;
  for (int32_t e = 0; e < a.local_experts; ++e) {
    a.offsets[e] = position;
    for (int32_t i = 0; i < count; ++i) {
      if (a.expert_ids[i] != a.first_expert + e) continue;
      a.positions[i] = position;
      a.entries[position++] = i;
    }
  }
  a.offsets[a.local_experts] = position;
}

}  // namespace

extern const Variant kernel_reference_route_experts;
const Variant kernel_reference_route_experts = {Op::route_experts, Isa::reference, "route_experts.reference",
                                                nullptr,           nullptr,        run};

}  // namespace graft::kernels
