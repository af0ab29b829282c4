// The experts of one row and their weights, by one warp.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/route_experts.h"

namespace graft::kernels::cuda {

/// An integer that compares as the number does; NaN as the largest, and nothing as 0.
__device__ __forceinline__ uint32_t key_of(float value) {
  if (value != value) return 0xffffffffu;
  const uint32_t bits = __float_as_uint(value == 0 ? 0.0f : value);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ float value_of(uint32_t key) {
  return __uint_as_float(key >> 31 != 0 ? key & 0x7fffffffu : ~key);
}

class RouteRow {
 public:
  /// `keys`: [experts] of shared memory, this warp's own.
  __device__ __forceinline__ RouteRow(const RouteExpertsArgs& args, int64_t row, uint32_t* shared)
      : a(args), logits(args.logits + row * args.logits_stride), keys(shared), lane(threadIdx.x % 32) {
    if (a.score == RouterScore::softmax) measure();
    write_keys();
    if (a.groups > 1) leave_groups();
    const int32_t expert = choose();
    const float weight = weigh(expert);
    if (lane >= a.top_k) return;
    a.expert_ids[row * a.top_k + lane] = expert;
    a.weights[row * a.top_k + lane] = weight;
  }

 private:
  /// What softmax needs of all logits.
  __device__ __forceinline__ void measure() {
    largest = -INFINITY;
    for (int32_t e = lane; e < a.experts; e += 32) largest = fmaxf(largest, logits[e]);
    largest = warp_max(largest);
    sum = 0;
    for (int32_t e = lane; e < a.experts; e += 32) sum += expf(logits[e] - largest);
    sum = warp_sum(sum);
  }

  __device__ __forceinline__ float score_of(float logit) const {
    if (a.score == RouterScore::softmax) return expf(logit - largest) / sum;
    return a.score == RouterScore::sigmoid ? 1.0f / (1.0f + expf(-logit)) : logit;
  }

  /// What experts are chosen by, each lane for its own.
  __device__ __forceinline__ void write_keys() {
    const bool plain = a.selection_bias == nullptr && a.groups <= 1;
    for (int32_t e = lane; e < a.experts; e += 32) {
      float key = plain ? logits[e] : score_of(logits[e]);
      if (a.selection_bias != nullptr) key += load_element(a.selection_bias, e, a.selection_bias_dtype);
      keys[e] = key_of(key);
    }
  }

  /// Leaves the experts of the best groups, a lane to a group.
  __device__ __forceinline__ void leave_groups() {
    const int32_t size = a.experts / a.groups;
    uint32_t mine = 0;
    __syncwarp();  // keys are there
    if (lane < a.groups) {
      uint32_t first = 0, second = 0;
      for (int32_t i = 0, at = lane % size; i < size; ++i) {  // from different banks
        const uint32_t key = keys[lane * size + at];
        second = max(second, min(first, key));
        first = max(first, key);
        if (++at == size) at = 0;
      }
      mine = a.group_best > 1 ? key_of(value_of(first) + value_of(second)) : first;
    }
    int32_t better = 0;
    for (int32_t g = 0; g < a.groups; ++g) {
      const uint32_t other = __shfl_sync(all_lanes, mine, g);
      better += other > mine || (other == mine && g < lane) ? 1 : 0;
    }
    __syncwarp();  // keys are read
    const unsigned kept = __ballot_sync(all_lanes, lane < a.groups && better < a.top_groups);
    for (int32_t e = lane; e < a.experts; e += 32) {
      if ((kept >> (e / size) & 1u) == 0) keys[e] = 0;
    }
  }

  /// The best expert that this lane has, by its key.
  __device__ __forceinline__ void look(uint32_t& best, uint32_t& expert) const {
    best = 0;
    expert = static_cast<uint32_t>(lane);
#pragma unroll 4
    for (int32_t e = lane; e < a.experts; e += 32) {
      const uint32_t key = keys[e];
      expert = key > best ? static_cast<uint32_t>(e) : expert;
      best = max(best, key);
    }
    if (lane >= a.experts) expert = 0xffffffffu;
  }

  /// The experts with the largest keys: lane s gets the one of place s.
  __device__ __forceinline__ int32_t choose() {
    uint32_t best, expert, chosen = 0;
    look(best, expert);
    for (int32_t s = 0; s < a.top_k; ++s) {
      const uint32_t most = __reduce_max_sync(all_lanes, best);
      const uint32_t found = __reduce_min_sync(all_lanes, best == most ? expert : 0xffffffffu);
      if (lane == s) chosen = found;
      if (found != expert) continue;
      keys[expert] = 0;  // read by no other lane any more
      look(best, expert);
    }
    return static_cast<int32_t>(chosen);
  }

  __device__ __forceinline__ float weigh(int32_t expert) const {
    const bool mine = lane < a.top_k;
    float value = mine ? score_of(logits[expert]) : 0.0f;
    if (a.kind == RouterWeights::normalised) {
      value /= fmaxf(warp_sum(value), a.least_sum);
    } else if (a.kind == RouterWeights::softmax) {
      const float most = warp_max(mine ? value : -INFINITY), raised = mine ? expf(value - most) : 0.0f;
      value = raised / warp_sum(raised);
    }
    value *= a.scale;
    if (mine && a.expert_scale != nullptr) value *= load_element(a.expert_scale, expert, a.expert_scale_dtype);
    return value;
  }

  const RouteExpertsArgs& a;
  const float* logits;
  uint32_t* keys;
  const int32_t lane;
  float largest = 0, sum = 1;
};

}  // namespace graft::kernels::cuda
