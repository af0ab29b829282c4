#include "core/checkpoint/checkpoint.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/checked.h"
#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/checkpoint/format.h"

namespace graft {
namespace {

std::string shown(const std::string& path) { return printable(path, most_of_path); }

/// The first format that answers to the path.
const CheckpointFormat& format_of(const std::string& path) {
  if (path.empty()) fail(StatusCode::invalid_argument, "model path: is empty, expected a model directory");
  if (path.find('\0') != std::string::npos) {
    fail(StatusCode::invalid_argument, "model path: {} holds a NUL byte", quote(path));
  }
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    fail(StatusCode::not_found, "{}: the model directory does not exist", shown(path));
  }
  if (error) fail(StatusCode::io_error, "{}: cannot look at the model directory: {}", shown(path), error.message());
  for (const CheckpointFormat* format : checkpoint_formats()) {
    if (format->detect(path)) return *format;
  }
  fail(StatusCode::invalid_argument, "{}: is a file, expected a model directory", shown(path));
}

[[noreturn]] void fail_no_config(const std::string& path) {
  fail(StatusCode::not_found, "{}: config.json is missing", shown(path));
}

/// -1 in the expectation is any size.
bool matches(std::span<const int64_t> shape, std::span<const int64_t> expected) {
  return std::equal(shape.begin(), shape.end(), expected.begin(), expected.end(),
                    [](int64_t size, int64_t wanted) { return wanted == -1 || wanted == size; });
}

}  // namespace

Checkpoint Checkpoint::open(const std::string& path, WeightsMode mode) {
  CheckpointContents contents = format_of(path).read(path, mode);
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  checkpoint.mode_ = mode;
  checkpoint.tensors_ = std::move(contents.tensors);
  checkpoint.config_ = std::move(contents.config);
  if (contents.generation_config) checkpoint.generation_config_ = std::move(*contents.generation_config);
  std::sort(checkpoint.tensors_.begin(), checkpoint.tensors_.end(),
            [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
  for (const TensorEntry& tensor : checkpoint.tensors_) {
    checkpoint.total_bytes_ = checked_add(checkpoint.total_bytes_, tensor.byte_size, shown(path) + ": total size");
  }
  return checkpoint;
}

const TensorEntry* Checkpoint::locate(std::string_view name) const noexcept {
  const auto found =
      std::lower_bound(tensors_.begin(), tensors_.end(), name,
                       [](const TensorEntry& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

const TensorEntry* Checkpoint::find(std::string_view name) const {
  const TensorEntry* tensor = locate(name);
  if (tensor != nullptr && tensor->dtype == other_dtype) {
    fail(StatusCode::unsupported,
         "{}: tensor {}: element type is {}, expected F32, BF16, F16, F64, I8, U8, I32, I64 or BOOL",
         shown(tensor->file->path()), quote(name), quote(tensor->dtype_name));
  }
  return tensor;
}

const TensorEntry& Checkpoint::require(std::string_view name) const {
  const TensorEntry* tensor = find(name);
  if (tensor == nullptr) {
    fail(StatusCode::not_found, "{}: tensor {} is missing among the {} of this checkpoint", shown(path_), quote(name),
         tensors_.size());
  }
  return *tensor;
}

const TensorEntry& Checkpoint::require(std::string_view name, std::span<const int64_t> shape) const {
  const TensorEntry& tensor = require(name);
  if (!matches(tensor.shape, shape)) {
    fail(StatusCode::corrupt_data, "{}: tensor {}: shape is {}, expected {}", shown(tensor.file->path()), quote(name),
         to_string(tensor.shape), to_string(std::vector<int64_t>(shape.begin(), shape.end())));
  }
  return tensor;
}

const TensorEntry& Checkpoint::require(std::string_view name, std::initializer_list<int64_t> shape) const {
  return require(name, std::span<const int64_t>(shape.begin(), shape.size()));
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> out;
  out.reserve(tensors_.size());
  for (const TensorEntry& tensor : tensors_) out.push_back(tensor.name);
  return out;
}

const JsonObject& Checkpoint::config() const {
  if (!config_) fail_no_config(path_);
  return *config_;
}

JsonObject read_config(const std::string& path) {
  std::optional<JsonObject> config = format_of(path).read_config(path);
  if (!config) fail_no_config(path);
  return *config;
}

}  // namespace graft
