// An image as what a step takes in: patches in rows.
#pragma once

#include <cstdint>
#include <span>

#include "core/generation/request.h"
#include "core/model/config.h"

namespace graft {

/// Fills the spec's prompt and patches with an image: `pixels` [channels, size, size] of float32, normalised as the
/// model wants it; `shape` may have a leading 1. Any thread. Throws INVALID_ARGUMENT for another shape and for values
/// that are not numbers of a sensible size.
void take_image(const ImageConfig& image, std::span<const int64_t> shape, const float* pixels, RequestSpec& spec);

/// Throws UNSUPPORTED: the model takes an image and the request has none.
[[noreturn]] void refuse_text(const ModelConfig& config);

}  // namespace graft
