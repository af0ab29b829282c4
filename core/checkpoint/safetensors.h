// The safetensors format: an 8-byte little-endian header length, a JSON header, and one contiguous data area.
// https://github.com/huggingface/safetensors#format
#pragma once

#include <memory>
#include <vector>

#include "core/checkpoint/tensor_entry.h"

namespace graft {

/// Largest header the format allows.
inline constexpr int64_t safetensors_header_limit = 100'000'000;

/// Largest number of dimensions that a tensor may have here.
inline constexpr int64_t safetensors_rank_limit = 64;

/// The tensors of one file, sorted by name, views into it. Everything is validated first: header length, JSON, names
/// unique, dtype, shape, product of the shape against the byte range, and ranges that tile the data area without
/// overlap, hole or rest. Throws CORRUPT_DATA or LIMIT_EXCEEDED naming the file, the tensor, what was found and what
/// was expected.
std::vector<TensorEntry> read_safetensors(const std::shared_ptr<const MappedFile>& file);

}  // namespace graft
