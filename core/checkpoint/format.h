// What a checkpoint format must answer. A new format is one file in core/checkpoint/formats and one line in format.cpp.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "core/checkpoint/json.h"
#include "core/checkpoint/mapped_file.h"
#include "core/checkpoint/tensor_entry.h"

namespace graft {

struct CheckpointContents {
  std::vector<TensorEntry> tensors;  ///< any order, unique names
  std::optional<JsonObject> config;  ///< in the terms of config.json, whatever the format
  std::optional<JsonObject> generation_config;
};

struct CheckpointFormat {
  const char* name;
  /// True when the path (a directory, or a file) is of this format, judged by names only. Does not throw.
  bool (*detect)(const std::filesystem::path& path);
  /// Reads and validates; opens a path for which detect answered true.
  CheckpointContents (*read)(const std::filesystem::path& path, WeightsMode mode);
  /// Config alone, without opening any weights where it says everything itself.
  std::optional<JsonObject> (*read_config)(const std::filesystem::path& path);
};

/// All formats, in the order they are tried.
std::span<const CheckpointFormat* const> checkpoint_formats();

}  // namespace graft
