#include "core/generation/sentence_model.h"

#include <filesystem>
#include <optional>

#include "core/base/quote.h"
#include "core/checkpoint/json.h"
#include "core/checkpoint/mapped_file.h"

namespace graft {
namespace {

constexpr int64_t longest_file = int64_t{16} << 20;

bool has_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

JsonArray read_modules(const std::string& path) {
  const auto file = MappedFile::open(path, WeightsMode::read, longest_file);
  return parse_json({reinterpret_cast<const char*>(file->data()), static_cast<size_t>(file->size())}, path).as_array();
}

struct PoolingKey {
  const char* key;
  const char* mode;  ///< as newer files write it
  Pooling pooling;
};

constexpr PoolingKey pooling_keys[] = {
    {"pooling_mode_cls_token", "cls", Pooling::cls},
    {"pooling_mode_mean_tokens", "mean", Pooling::mean},
    {"pooling_mode_max_tokens", "max", Pooling::max},
    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
    {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::weighted_mean},
    {"pooling_mode_lasttoken", "lasttoken", Pooling::last},
};

// Sentence-transformers joins several poolings into one long row; no published model that we know of does.
Pooling read_pooling(const JsonObject& config) {
  std::optional<Pooling> found;
  const std::string mode =
      config.at("pooling_mode").kind() == JsonKind::string ? config.require_string("pooling_mode") : "";
  for (const PoolingKey& entry : pooling_keys) {
    if (mode != entry.mode && !config.get_bool(entry.key, false)) continue;
    if (found) fail(StatusCode::unsupported, "{}: more than one pooling mode, expected one", config.source());
    found = entry.pooling;
  }
  if (!found) {
    if (!mode.empty()) {
      fail(StatusCode::unsupported,
           "{}: 'pooling_mode' is {}, expected cls, mean, max, mean_sqrt_len_tokens, "
           "weightedmean or lasttoken",
           config.source(), quote(mode));
    }
    fail(StatusCode::corrupt_data, "{}: no pooling mode is true, expected one", config.source());
  }
  if (!config.get_bool("include_prompt", true)) {
    fail(StatusCode::unsupported, "{}: 'include_prompt' is false, expected true", config.source());
  }
  return *found;
}

void read_prompts(const JsonObject& config, SentenceModel& model) {
  const JsonObject prompts = config.get_object("prompts");
  for (const std::string& name : prompts.keys()) model.prompts[name] = prompts.get_string(name, "");
  const std::string chosen = config.get_string("default_prompt_name", "");
  if (chosen.empty()) return;
  const auto prompt = model.prompts.find(chosen);
  if (prompt == model.prompts.end()) {
    config.at("default_prompt_name").fail_expected("one of the names in 'prompts'");
  }
  model.default_prompt = prompt->second;
}

std::string_view last_part(std::string_view type) {
  const size_t dot = type.rfind('.');
  return dot == std::string_view::npos ? type : type.substr(dot + 1);
}

}  // namespace

const char* name_of(Pooling pooling) {
  for (const PoolingKey& entry : pooling_keys) {
    if (entry.pooling == pooling) return entry.mode;
  }
  return pooling == Pooling::token ? "token" : "none";
}

SentenceModel read_sentence_model(const std::string& directory, Pooling own_pooling) {
  SentenceModel model;
  const std::filesystem::path root(directory);
  const std::filesystem::path modules_path = root / "modules.json";
  if (!has_file(modules_path)) {
    model.pooling = own_pooling;
    return model;
  }
  const JsonArray modules = read_modules(modules_path.string());
  for (int64_t i = 0; i < modules.size(); ++i) {
    const JsonObject module = modules.at(i).as_object();
    const std::string type = module.require_string("type");
    const std::string path = module.get_string("path", "");
    const std::string_view kind = last_part(type);
    if (kind == "Transformer") {
      if (!path.empty()) module.at("path").fail_expected("\"\": the transformer's files beside modules.json");
    } else if (kind == "Pooling") {
      model.pooling = read_pooling(read_json_object((root / path / "config.json").string()));
    } else if (kind == "Normalize") {
      model.normalize = true;
    } else {
      fail(StatusCode::unsupported, "{}: module {} is of type {}, expected Transformer, Pooling or Normalize",
           modules_path.string(), i, quote(type));
    }
  }
  if (const auto path = root / "sentence_bert_config.json"; has_file(path)) {
    model.max_tokens = read_json_object(path.string()).get_int("max_seq_length", 0, {1, int64_t{1} << 31});
  }
  if (const auto path = root / "config_sentence_transformers.json"; has_file(path)) {
    read_prompts(read_json_object(path.string()), model);
  }
  return model;
}

}  // namespace graft
