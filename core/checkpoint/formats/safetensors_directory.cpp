#include "core/checkpoint/formats/safetensors_directory.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/checkpoint/formats/meta_params.h"
#include "core/checkpoint/safetensors.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr const char* single_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";
constexpr const char* extension = ".safetensors";

std::string shown(const fs::path& path) { return printable(path.string(), most_of_path); }

/// Also true for what may not be looked at: opening it then says why.
bool is_present(const fs::path& path) {
  std::error_code ignored;
  return fs::status(path, ignored).type() != fs::file_type::not_found;
}

std::vector<std::string> file_names(const fs::path& directory) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) fail(StatusCode::io_error, "{}: cannot list the directory: {}", shown(directory), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// A few names for a message, and how many more there are.
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t most = 5;
  std::string out;
  for (size_t i = 0; i < std::min(most, names.size()); ++i) out += (i == 0 ? "" : ", ") + quote(names[i]);
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

/// Says why there is nothing to read.
[[noreturn]] void fail_no_weights(const fs::path& directory, const std::vector<std::string>& names) {
  const auto is_model = [](const std::string& name) { return name.starts_with("pytorch_model"); };
  const auto is_pickle = [](const std::string& name) {
    const std::string suffix = fs::path(name).extension().string();
    return suffix == ".bin" || suffix == ".pt" || suffix == ".pth" || suffix == ".ckpt";
  };
  auto pickle = std::find_if(names.begin(), names.end(), is_model);
  if (pickle == names.end()) pickle = std::find_if(names.begin(), names.end(), is_pickle);
  if (pickle != names.end()) {
    fail(StatusCode::unsupported, "{}: {} is a pickle checkpoint; convert it to safetensors", shown(directory),
         quote(*pickle));
  }
  fail(StatusCode::not_found, "{}: found no weights, expected {}, {} or one *{} file", shown(directory), single_name,
       index_name, extension);
}

/// A shard is a file beside its index: an index from elsewhere must not reach other folders.
void check_shard_name(const std::string& index, const std::string& tensor, const std::string& shard) {
  const bool plain = !shard.empty() && shard != "." && shard != ".." &&
                     shard.find_first_of("/\\") == std::string::npos && shard.find('\0') == std::string::npos;
  if (!plain) {
    fail(StatusCode::corrupt_data, "{}: tensor {}: shard is {}, expected a plain file name", index, quote(tensor),
         quote(shard));
  }
}

/// Tensor names by shard, both sorted.
std::map<std::string, std::vector<std::string>> read_weight_map(const fs::path& path) {
  JsonOptions options;
  options.unique_keys = true;
  const JsonObject map = read_json_object(path.string(), options).require_object("weight_map");
  const std::string index = map.source();
  std::map<std::string, std::vector<std::string>> shards;
  for (std::string& tensor : map.keys()) {
    const std::string shard = map.require_string(tensor);
    check_shard_name(index, tensor, shard);
    shards[shard].push_back(std::move(tensor));
  }
  for (auto& [shard, names] : shards) std::sort(names.begin(), names.end());
  return shards;
}

void read_shard(const fs::path& index, const std::string& shard, const std::vector<std::string>& expected,
                WeightsMode mode, std::vector<TensorEntry>& out) {
  const fs::path path = index.parent_path() / shard;
  if (!is_present(path)) {
    fail(StatusCode::not_found, "{}: shard {} is missing; it should hold {} tensors, such as {}", shown(index),
         quote(shard), expected.size(), quote(expected.front()));
  }
  std::vector<TensorEntry> found = read_safetensors(MappedFile::open(path.string(), mode));
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const TensorEntry& tensor : found) names.push_back(tensor.name);
  std::vector<std::string> missing, surplus;
  std::set_difference(expected.begin(), expected.end(), names.begin(), names.end(), std::back_inserter(missing));
  std::set_difference(names.begin(), names.end(), expected.begin(), expected.end(), std::back_inserter(surplus));
  if (!missing.empty()) {
    fail(StatusCode::corrupt_data, "{}: the index {} puts tensors here that the shard lacks: {}", shown(path),
         index_name, listed(missing));
  }
  if (!surplus.empty()) {
    fail(StatusCode::corrupt_data, "{}: the shard holds tensors that the index {} does not put here: {}", shown(path),
         index_name, listed(surplus));
  }
  std::move(found.begin(), found.end(), std::back_inserter(out));
}

std::vector<TensorEntry> read_tensors(const fs::path& directory, WeightsMode mode) {
  if (const fs::path single = directory / single_name; is_present(single)) {
    return read_safetensors(MappedFile::open(single.string(), mode));
  }
  if (const fs::path index = directory / index_name; is_present(index)) {
    std::vector<TensorEntry> tensors;
    for (const auto& [shard, names] : read_weight_map(index)) read_shard(index, shard, names, mode, tensors);
    return tensors;
  }
  const std::vector<std::string> names = file_names(directory);
  std::vector<std::string> candidates;
  for (const std::string& name : names) {
    if (fs::path(name).extension() == extension) candidates.push_back(name);
  }
  if (candidates.empty()) fail_no_weights(directory, names);
  if (candidates.size() > 1) {
    fail(StatusCode::not_found, "{}: found {} safetensors files ({}) but no {}, expected that index or one file",
         shown(directory), candidates.size(), listed(candidates), index_name);
  }
  return read_safetensors(MappedFile::open((directory / candidates.front()).string(), mode));
}

std::optional<JsonObject> read_optional(const fs::path& path) {
  if (!is_present(path)) return std::nullopt;
  return read_json_object(path.string());
}

bool detect(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// Meta's directories have params.json in place of config.json.
std::optional<JsonObject> read_meta_params(const fs::path& path) {
  return is_present(path / "config.json") ? std::nullopt : read_optional(path / "params.json");
}

std::optional<JsonObject> read_config(const fs::path& path) {
  const std::optional<JsonObject> params = read_meta_params(path);
  if (!params) return read_optional(path / "config.json");
  std::vector<TensorEntry> tensors;
  if (needs_tensors(*params)) tensors = read_tensors(path, WeightsMode::map);
  return complete_meta_params(*params, tensors);
}

CheckpointContents read(const fs::path& path, WeightsMode mode) {
  // Configuration first: it is small, and what is wrong with it should be said before gigabytes are read.
  CheckpointContents contents;
  contents.config = read_config(path);
  contents.generation_config = read_optional(path / "generation_config.json");
  contents.tensors = read_tensors(path, mode);
  return contents;
}

}  // namespace

constinit const CheckpointFormat safetensors_directory_format = {"safetensors", detect, read, read_config};

}  // namespace graft
