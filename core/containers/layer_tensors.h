// The tensors of one decoder layer on their way from the client module into the fused one, and the steps they take, in
// order: take, convert, transpose, quantize; each a function that can be tested alone. DeepSpeed quantises before it
// transposes and groups by rows of the [out, in] weight all the same; Conv1D weights have such rows only afterwards.
// Where a device is to do the work, the steps note what is to be done with a weight, and its placement does it
// (placement.h): the weight stays what lies in the mapped file until then.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "core/containers/quantization.h"
#include "core/model/module.h"

namespace graft {

/// What makes integers a weight again: kernels/spec/quantized.h.
struct QuantizedForm {
  DType dtype = DType::float32;  ///< int8 or int4 of a quantised weight
  int64_t in_features = 0;
  int64_t group_size = 0;  ///< at least 1 of a quantised weight
  at::Tensor scales;       ///< float32 [out, groups]
};

/// What the steps noted of a weight that is a view of the stored tensor still.
struct DeferredSteps {
  DType dtype = DType::float32;  ///< that it is wanted in
  std::vector<Range> rows;       ///< of the [out, in] weight that are wanted, one after another; empty: all
  Quantization quantization = {};
};

struct LinearTensors {
  at::Tensor weight;  ///< [out, in] after transpose_to_kernel_layout, the checkpoint's layout before; once quantised
                      ///< int8 [out, in] or, of int4, the packed bytes as uint8 [out, (in + 1) / 2]
  at::Tensor bias;    ///< [out] or undefined
  LinearLayout layout = LinearLayout::out_in;
  std::string name = {};         ///< of the weight, for messages
  QuantizedForm quantized = {};  ///< scales are undefined in a float weight
  std::optional<DeferredSteps> deferred = {};

  bool is_quantized() const { return quantized.scales.defined(); }
  /// Of a weight in kernel layout, and of the rows that are wanted.
  int64_t in_features() const { return is_quantized() ? quantized.in_features : weight.size(1); }
  int64_t out_features() const;
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

/// Step 1: finds the layer's tensors by role. They share storage with the client module. `deferred`: the steps that
/// follow are only noted of the linears' weights, which may be parts of what the module holds (Parameter::ranges).
/// Throws UNSUPPORTED naming the layer and the role when a needed module is missing.
LayerTensors take_tensors(const Module& layer, bool deferred = false);

/// Step 2: to the storage type of the fused module. Tensors that already have it are not copied.
void convert_to_dtype(LayerTensors& tensors, DType dtype);

/// Step 3: to the kernels' layout, [out, in] with contiguous rows. Only Conv1D weights are copied.
void transpose_to_kernel_layout(LayerTensors& tensors);

/// Step 4, where asked for: the weights of all linears to integers with scales by the group quantiser. A group never
/// crosses a row; the last one of a row is shorter where the size does not divide it. Biases and norms stay as they
/// are. Does nothing for 0 bits. Throws CORRUPT_DATA naming the tensor when a weight is no finite number.
void quantize(LayerTensors& tensors, const Quantization& quantization);

/// Does here what was deferred, as the steps themselves would have.
void do_deferred(LinearTensors& linear);

}  // namespace graft
