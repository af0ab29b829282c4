// Weights on their way to where the kernels read them: the last step of the container pipeline.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/base/memory_space.h"
#include "core/containers/layer_tensors.h"

namespace graft {

/// The tensor with its bytes in `space`: itself in host memory or where it is undefined; elsewhere a copy, contiguous,
/// whose address only kernels may follow and which no ATen operator reads. The space outlives it. Throws OUT_OF_MEMORY,
/// DEVICE_ERROR.
at::Tensor placed(const at::Tensor& tensor, MemorySpace& space);
at::Tensor placed(const std::vector<float>& values, MemorySpace& space);

NormTensors placed(const NormTensors& norm, MemorySpace& space);
LinearTensors placed(LinearTensors linear, MemorySpace& space);

/// Step 5 of a layer, after which the host's tensors are given back.
void place(LayerTensors& tensors, MemorySpace& space);

}  // namespace graft
