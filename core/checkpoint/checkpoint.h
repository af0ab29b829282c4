// A model's files on disk: its tensors by name and its configuration, whatever the format.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/json.h"
#include "core/checkpoint/mapped_file.h"
#include "core/checkpoint/tensor_entry.h"

namespace graft {

/// Immutable after open, but for forget_tensors; any thread. Entries share ownership of their file, so copies of them
/// may outlive the checkpoint; pointers to them may not.
class Checkpoint {
 public:
  /// Opens a model directory. For safetensors it holds model.safetensors, or model.safetensors.index.json and its
  /// shards, or one *.safetensors of any name, in this order of preference; config.json and generation_config.json are
  /// read where present, and Meta's params.json where there is no config.json. Throws NOT_FOUND (no such path, no
  /// weights, a missing shard), INVALID_ARGUMENT (a file no format answers to), UNSUPPORTED (pickle checkpoints),
  /// CORRUPT_DATA, IO_ERROR, LIMIT_EXCEEDED.
  static Checkpoint open(const std::string& path, WeightsMode mode);

  const std::string& path() const noexcept { return path_; }
  WeightsMode mode() const noexcept { return mode_; }

  /// Null when there is no such tensor. Throws UNSUPPORTED when it exists in an element type that Graft does not read.
  const TensorEntry* find(std::string_view name) const;
  /// As find, and throws NOT_FOUND when it is missing and CORRUPT_DATA when its shape is another. -1 stands for any
  /// size.
  const TensorEntry& require(std::string_view name, std::span<const int64_t> shape) const;
  const TensorEntry& require(std::string_view name, std::initializer_list<int64_t> shape) const;
  /// Any shape.
  const TensorEntry& require(std::string_view name) const;
  /// Whatever its element type; never throws.
  bool contains(std::string_view name) const noexcept { return locate(name) != nullptr; }

  /// All tensors, sorted by name, those of unreadable element types included.
  const std::vector<TensorEntry>& tensors() const noexcept { return tensors_; }
  std::vector<std::string> names() const;
  /// Bytes of all tensors.
  int64_t total_bytes() const noexcept { return total_bytes_; }

  /// Lets the files go, as far as nobody else holds an entry of theirs. There are no tensors afterwards.
  void forget_tensors() noexcept { tensors_.clear(); }

  /// config.json; throws NOT_FOUND when the checkpoint has none.
  const JsonObject& config() const;
  bool has_config() const noexcept { return config_.has_value(); }
  /// generation_config.json; an empty object when there is none.
  const JsonObject& generation_config() const noexcept { return generation_config_; }

 private:
  Checkpoint() = default;
  const TensorEntry* locate(std::string_view name) const noexcept;

  std::string path_;
  WeightsMode mode_ = WeightsMode::map;
  std::vector<TensorEntry> tensors_;
  int64_t total_bytes_ = 0;
  std::optional<JsonObject> config_;
  JsonObject generation_config_;
};

/// The configuration alone, without opening any weights (but for a params.json that leaves the vocabulary open). Throws
/// as Checkpoint::open and config() do.
JsonObject read_config(const std::string& path);

}  // namespace graft
