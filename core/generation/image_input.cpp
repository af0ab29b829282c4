#include "core/generation/image_input.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/status.h"

namespace graft {
namespace {

constexpr int64_t class_row = 0, patch_row = 1;  // ImageConfig
constexpr float largest_value = 1e6f;            // normalised pixels are near 1; this keeps every later sum finite

}  // namespace

void take_image(const ImageConfig& image, std::span<const int64_t> shape, const float* pixels, RequestSpec& spec) {
  const int64_t size = image.size, patch = image.patch, across = size / patch;
  const int64_t wanted[] = {1, image.channels, size, size};
  if (!std::ranges::equal(shape, std::span(wanted)) && !std::ranges::equal(shape, std::span(wanted).subspan(1))) {
    fail(StatusCode::invalid_argument, "\"pixel_values\" has shape [{}], expected [{}, {}, {}] or a 1 before it",
         fmt::join(shape, ", "), image.channels, size, size);
  }
  const int64_t count = image.channels * size * size;
  for (int64_t i = 0; i < count; ++i) {
    if (std::abs(pixels[i]) <= largest_value) continue;
    fail(StatusCode::invalid_argument, "\"pixel_values\" is {} at {}, expected numbers between {} and {}", pixels[i], i,
         -largest_value, largest_value);
  }
  spec.prompt.assign(static_cast<size_t>(1 + image.patches()), patch_row);
  spec.prompt[0] = class_row;
  spec.patches.assign(static_cast<size_t>((1 + image.patches()) * image.patch_values()), 0.0f);
  auto out = spec.patches.begin() + image.patch_values();  // the class row stays zero
  for (int64_t p = 0; p < image.patches(); ++p) {
    const float* corner = pixels + (p / across) * patch * size + (p % across) * patch;
    for (int64_t line = 0; line < image.channels * patch; ++line) {  // channel by channel, as the weights lie
      out = std::copy_n(corner + (line / patch) * size * size + (line % patch) * size, patch, out);
    }
  }
}

void refuse_text(const ModelConfig& config) {
  fail(StatusCode::unsupported, "{} takes an image, the tensor \"pixel_values\", and no text", config.architecture);
}

}  // namespace graft
