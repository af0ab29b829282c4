#include "core/policies/support/config_fields.h"

#include <algorithm>
#include <string>

namespace graft {
namespace {

constexpr NamedActivation activations[] = {
    {"silu", Activation::silu, "SiLUActivation"},
    {"swish", Activation::silu, "SiLU"},
    {"gelu", Activation::gelu, "GELUActivation"},
    {"gelu_new", Activation::gelu_tanh, "NewGELUActivation"},
    {"gelu_pytorch_tanh", Activation::gelu_tanh, "GELUTanh"},
    {"gelu_fast", Activation::gelu_tanh, "FastGELUActivation"},
    {"relu", Activation::relu, "ReLU"},
    {"quick_gelu", Activation::quick_gelu, "QuickGELUActivation"},
    {"tanh", Activation::tanh, "Tanh"},
};

}  // namespace

const NamedActivation* find_activation(std::string_view name) {
  for (const NamedActivation& entry : activations) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::string activation_names() {
  std::string known;
  for (const NamedActivation& entry : activations) {
    known += known.empty() ? "" : ", ";
    known += entry.name;
  }
  return known;
}

namespace {

const NamedActivation& require_activation(const JsonObject& config, std::string_view key, std::string_view fallback) {
  const NamedActivation* found = find_activation(config.get_string(key, fallback));
  if (found == nullptr) config.at(key).fail_expected("one of: " + activation_names());
  return *found;
}

}  // namespace

Activation read_activation(const JsonObject& config, std::string_view key, std::string_view fallback) {
  return require_activation(config, key, fallback).activation;
}

std::string read_activation_class(const JsonObject& config, std::string_view key, std::string_view fallback) {
  return require_activation(config, key, fallback).class_name;
}

std::optional<DType> read_stored_dtype(const JsonObject& config) {
  std::string name = config.get_string("dtype", "");
  if (name.empty()) name = config.get_string("torch_dtype", "");
  constexpr std::string_view prefix = "torch.";
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  for (DType dtype : {DType::float32, DType::bfloat16, DType::float16}) {
    if (name == name_of(dtype)) return dtype;
  }
  return std::nullopt;  // the tensors' own type decides
}

int64_t read_padding_row(const JsonObject& config, int64_t vocabulary, int64_t class_default) {
  int64_t row = config.get_int("pad_token_id", -1);
  // null says that there is none; a key left out leaves the class's own.
  const std::vector<std::string> keys = config.keys();
  if (std::find(keys.begin(), keys.end(), "pad_token_id") == keys.end()) {
    row = class_default;
  } else if (row < 0 && config.has("pad_token_id")) {
    row += vocabulary;
  }
  return row >= 0 && row < vocabulary ? row : -1;
}

std::string dropout_detail(const JsonObject& json, std::string_view key, std::string_view fallback) {
  const JsonValue value = json.at(key);
  if (!value.absent()) static_cast<void>(value.as_number({0.0, 1.0}));
  return fmt::format("p={}, inplace=False", value.absent() ? std::string(fallback) : value.text());
}

std::vector<int64_t> read_windows(const JsonObject& config, int64_t layers, int64_t window, int64_t first_windowed) {
  std::vector<int64_t> windows(static_cast<size_t>(layers), 0);
  const JsonArray types = config.get_array("layer_types");
  if (types.absent()) {
    for (int64_t i = first_windowed; i < layers; ++i) windows[static_cast<size_t>(i)] = window;
    return windows;
  }
  if (types.size() != layers) types.fail_expected("one entry per layer (" + std::to_string(layers) + ")");
  for (int64_t i = 0; i < layers; ++i) {
    const std::string type = types.at(i).as_string();
    if (type == "sliding_attention") {
      if (window <= 0) types.at(i).fail_expected("\"full_attention\", since 'sliding_window' is off");
      windows[static_cast<size_t>(i)] = window;
    } else if (type != "full_attention") {
      types.at(i).fail_expected("\"full_attention\" or \"sliding_attention\"");
    }
  }
  return windows;
}

std::vector<int64_t> read_optional_windows(const JsonObject& config) {
  const bool windowed = config.get_bool("use_sliding_window", false);
  const int64_t window = windowed ? config.get_int("sliding_window", 4096, position_range) : 0;
  return read_windows(config, config.require_int("num_hidden_layers", layer_range), window,
                      config.get_int("max_window_layers", 28, {0, layer_range.high}));
}

}  // namespace graft
