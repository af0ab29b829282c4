// Single operations of the client model on float32 activations.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/config.h"
#include "core/model/module.h"
#include "core/model/rope.h"
#include "core/parallel/communicator.h"
#include "core/step/cache_pool.h"

namespace graft::client {

/// x [T, in] -> [T, out], whichever way the weight lies. The parts of a row-parallel linear are summed over the ranks
/// before the bias joins.
at::Tensor linear(const Module& module, const at::Tensor& x, Communicator& ranks);

/// Layer norm or RMS norm over the last dimension.
at::Tensor norm(const Module& module, const NormConfig& config, const at::Tensor& x);

at::Tensor activate(Activation activation, const at::Tensor& x);

at::Tensor feed_forward(const Module& layer, const FeedForwardConfig& config, const at::Tensor& x, Communicator& ranks);

/// Rotates the first rotary_dim lanes of x [T, heads, head_dim] by `angles` [T, rotary_dim / 2] and scales them by
/// attention_factor [T].
at::Tensor rotate(const at::Tensor& x, const RopeConfig& config, const at::Tensor& angles,
                  const at::Tensor& attention_factor);

/// Frequencies [rotary_dim / 2] and attention factor of a sequence that may reach `planned_length` tokens.
std::pair<at::Tensor, double> frequencies(const RopeTables& tables, int64_t planned_length);

/// The blocks of a layer as a tensor [blocks, kv_heads, block_size, head_dim] over the pool's memory.
at::Tensor cache_tensor(const kernels::PagedCache& cache, void* data, int64_t blocks);

}  // namespace graft::client
