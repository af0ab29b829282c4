// The fused decoder layer: the product of the container pipeline.
#pragma once

#include "core/containers/activations.h"
#include "core/containers/collectives.h"
#include "core/containers/layer_tensors.h"
#include "core/containers/op_list.h"
#include "core/containers/placement.h"
#include "core/step/step_view.h"
#include "kernels/spec/attention.h"

namespace graft {

/// A decoder or encoder layer of either residual form over fused kernels. Immutable once made; keeps its weights alive.
class FusedDecoderLayer {
 public:
  /// `tensors` in kernel layout, on the host; they are placed by `placement` and can be used once that has finished.
  /// Throws INVALID_ARGUMENT when a shape contradicts the configuration, and what placing throws.
  FusedDecoderLayer(const LayerConfig& config, LayerTensors tensors, WeightPlacement& placement);

  /// Appends the layer's kernel calls for steps of at most `capacity` tokens: reads activations.residual (+ what
  /// waits), writes keys and values to `cache`. A pre-norm layer leaves its contribution waiting, a post-norm layer
  /// nothing. Where the layer is one rank's share, what waits is summed over `ranks`.
  void record(OpList& ops, const Collectives& ranks, const StepView& step, const CacheView& addressing,
              const kernels::PagedCache& cache, Activations& activations, int64_t capacity) const;

 private:
  void record_attention(OpList& ops, const StepView& step, const CacheView& addressing,
                        const kernels::PagedCache& cache, Activations& activations, int64_t capacity,
                        const float* x) const;
  void record_feed_forward(OpList& ops, const StepView& step, Activations& activations, int64_t capacity,
                           const float* x, bool accumulate) const;
  /// What the configuration and the weights say of an op.
  void describe(kernels::RotaryCacheArgs& args, const Activations& activations) const;
  void describe(kernels::AttentionArgs& args) const;
  int64_t hidden() const { return tensors_.attention_output.weight.size(0); }

  LayerConfig config_;
  LayerTensors tensors_;
  at::Tensor parallel_bias_;  ///< of both contributions of a parallel layer, float32
  at::Tensor alibi_slopes_;   ///< [heads] or undefined
};

/// Appends residual += what waits, summed over `ranks`, and out = norm(residual), over `rows` rows; marks nothing as
/// waiting.
void record_residual_norm(OpList& ops, const Collectives& ranks, const int32_t* rows, int64_t capacity,
                          const NormConfig& config, const NormTensors& norm, int64_t width, Activations& activations,
                          float* out);

/// Appends one linear op over one to three matrices with a common input.
void record_linear(OpList& ops, const int32_t* rows, int64_t capacity, const LinearTensors* const* linears,
                   int32_t count, bool with_bias, const float* x, int64_t x_stride, float* out, int64_t out_stride,
                   bool accumulate = false);

}  // namespace graft
