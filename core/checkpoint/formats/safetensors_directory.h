// A Hugging Face model directory with safetensors weights, whole or sharded.
#pragma once

#include "core/checkpoint/format.h"

namespace graft {

/// model.safetensors, else model.safetensors.index.json with its shards, else the one *.safetensors there is.
extern const CheckpointFormat safetensors_directory_format;

}  // namespace graft
