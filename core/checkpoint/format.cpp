#include "core/checkpoint/format.h"

#include <array>

#include "core/checkpoint/formats/safetensors_directory.h"

namespace graft {

std::span<const CheckpointFormat* const> checkpoint_formats() {
  static constexpr std::array<const CheckpointFormat*, 1> formats = {&safetensors_directory_format};
  return formats;
}

}  // namespace graft
