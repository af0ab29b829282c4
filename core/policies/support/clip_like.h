// What the two halves of CLIP share: the keys of their layers and the tree of their encoder. Source: Transformers
// models/clip.
#pragma once

#include <string_view>

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"

namespace graft {

/// A half's widths where config.json leaves them out.
struct ClipDefaults {
  int64_t hidden = 512;
  int64_t intermediate = 2048;
  int64_t heads = 8;
};

/// Sets class, widths, layers and the prefix and skipped tensors of the whole model's checkpoint ("text_model."). The
/// layers attend as `causal` says. Throws UNSUPPORTED when `architectures` names another class than `class_name`.
void read_clip_half(const JsonObject& json, std::string_view class_name, std::string_view wrapped_prefix,
                    const ClipDefaults& defaults, bool causal, Blueprint& blueprint);

/// The module "encoder" with all layers.
void add_clip_encoder(BlueprintBuilder& tree, const JsonObject& json, const ModelConfig& config);

}  // namespace graft
