// The tensors of one decoder layer on their way from the client module into the fused one, and the steps they take, in
// DeepSpeed's order: take, convert, transpose; each a function that can be tested alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/model/module.h"

namespace graft {

struct LinearTensors {
  at::Tensor weight;  ///< [out, in] after transpose_to_kernel_layout, the checkpoint's layout before
  at::Tensor bias;    ///< [out] or undefined
  LinearLayout layout = LinearLayout::out_in;
};

struct NormTensors {
  at::Tensor weight;  ///< [width]
  at::Tensor bias;    ///< [width] or undefined
};

/// The norms of the layer's own residual form are defined, the others are not; a parallel layer may lack the
/// feed-forward norm.
struct LayerTensors {
  NormTensors input_norm;
  NormTensors post_attention_norm;
  std::vector<LinearTensors> query_key_value;  ///< one fused matrix, or query, key and value
  at::Tensor query_norm;                       ///< undefined when the architecture has none
  at::Tensor key_norm;
  LinearTensors attention_output;
  NormTensors feed_forward_norm;
  NormTensors post_feed_forward_norm;
  std::vector<LinearTensors> up;  ///< gate and up, one matrix of both, or up alone
  LinearTensors down;
};

/// Step 1: finds the layer's tensors by role. They share storage with the client module.
/// Throws UNSUPPORTED naming the layer and the role when a needed module is missing.
LayerTensors take_tensors(const Module& layer);

/// Step 2: to the storage type of the fused module. Tensors that already have it are not copied.
void convert_to_dtype(LayerTensors& tensors, DType dtype);

/// Step 3: to the kernels' layout, [out, in] with contiguous rows. Only Conv1D weights are copied.
void transpose_to_kernel_layout(LayerTensors& tensors);

}  // namespace graft
