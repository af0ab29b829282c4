#pragma once

#include "kernels/spec/dtype.h"

namespace graft::kernels {

/// What a router's logits become. Scores are weights, and with a selection bias or groups also what is selected by.
enum class RouterScore : int32_t {
  logit = 0,
  softmax = 1,  ///< over all experts
  sigmoid = 2,
};

/// What the scores of the selected experts of a row become, before the scales.
enum class RouterWeights : int32_t {
  scores = 0,
  normalised = 1,  ///< divided by their sum, or by least_sum where that is larger
  softmax = 2,     ///< exp of each, divided by the sum of these
};

/// Top-k routing of a mixture of experts, and the rows dealt to the experts. For each row r < *rows:
///   score[e] = f(logits[r, e]), key[e] = score[e] + selection_bias[e];
///   with groups > 1 only the experts of top_groups groups are candidates: those whose group_best (1 or 2) largest
///   keys have the largest sum;
///   expert_ids[r, :] are the top_k candidates with the largest keys, largest first;
///   weights[r, s] = score of expert_ids[r, s], as RouterWeights says, times scale * expert_scale[expert].
/// Without bias and groups keys are the logits, which no rounding of a score makes equal. Of equals the lower index
/// is chosen; NaN counts as the largest.
///
/// Then the entries (r, s), numbered r * top_k + s, whose experts are first_expert ... first_expert + local_experts - 1
/// (expert parallelism; others belong to other ranks) are put in order of experts, those of one expert in their own:
///   entries[offsets[e]] ... entries[offsets[e + 1] - 1] are those of expert first_expert + e;
///   positions[r, s] is where in `entries` that is, -1 for an expert that is not here.
/// offsets[local_experts] is the number of rows that the linears of the experts have.
///
/// Softmax, top-k, with or without normalising: Mixtral (Jiang et al. 2024), Qwen2-MoE, Qwen3-MoE, and with
/// expert_scale Gemma 4. Logits, top-k, softmax: gpt-oss. Sigmoid with a bias for the selection alone, groups by the
/// sum of their two best: DeepSeek-V3 (2024), GLM-4.5, MiniMax-M2 without groups; groups by their best: DeepSeek-V2.
/// Sigmoid, top-1: Llama 4.
struct RouteExpertsArgs {
  static constexpr int32_t max_experts = 1024, max_top_k = 32, max_groups = 32;

  const int32_t* rows;
  int64_t capacity;     ///< the most rows that a step can have
  int32_t experts;      ///< of all ranks, 1 to max_experts
  int32_t top_k;        ///< 1 to max_top_k, at most `experts`
  const float* logits;  ///< [capacity, experts] with logits_stride elements from row to row
  int64_t logits_stride;
  RouterScore score;
  RouterWeights kind;
  float least_sum = 0;         ///< of normalised weights (DeepSeek-V3: 1e-20)
  float scale = 1;             ///< routed_scaling_factor
  const void* selection_bias;  ///< [experts] of selection_bias_dtype or null
  DType selection_bias_dtype;
  const void* expert_scale;  ///< [experts] of expert_scale_dtype or null
  DType expert_scale_dtype;
  int32_t groups = 1;      ///< of experts / groups neighbours; at most max_groups
  int32_t top_groups = 1;  ///< their experts are at least top_k
  int32_t group_best = 2;  ///< at most as many as a group has
  int32_t first_expert = 0;
  int32_t local_experts;  ///< `experts` when all are here
  int32_t* expert_ids;    ///< [capacity, top_k]
  float* weights;         ///< [capacity, top_k]
  int32_t* entries;       ///< [capacity * top_k], of which the first offsets[local_experts] are written
  int32_t* positions;     ///< [capacity, top_k]
  int32_t* offsets;       ///< [local_experts + 1]
};

}  // namespace graft::kernels
