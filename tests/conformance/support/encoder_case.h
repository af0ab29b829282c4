// One case of an encoder (tests/oracle/README.md).
#pragma once

#include "tests/conformance/support/test_case.h"

namespace graft::conformance {

struct EncoderCase {
  std::string architecture;
  std::string dtype;  ///< of the checkpoint
  double tolerance = 0;
  std::vector<Tokens> prompts;
  std::vector<Tokens> token_types;  ///< of each prompt; empty: zeros
  std::vector<std::string> labels;
  std::vector<Matrix> hidden;       ///< of each prompt
  std::vector<Matrix> logits;       ///< the same, or empty for a class without a head
  std::vector<Matrix> pooled;       ///< the same, or empty where the mean is the embedding
  std::vector<Matrix> pixels;       ///< in place of prompts: [channels * size, size]; empty for texts
  std::vector<Matrix> patches;      ///< the same in rows: [T, values of a patch]
  double low_precision_hidden = 0;  ///< Transformers' own errors in `dtype`; 0 for float32
  double low_precision_logits = 0;

  /// What the head gives: logits, or of a model that takes images its own embedding.
  const std::vector<Matrix>& head_rows() const { return pixels.empty() ? logits : pooled; }
};

/// Throws std::exception when the files are not what tests/oracle writes.
inline EncoderCase read_encoder_case(const std::filesystem::path& directory) {
  std::ifstream file(directory / "case.json");
  const auto json = nlohmann::json::parse(file);
  EncoderCase result;
  result.architecture = json.at("architecture");
  result.dtype = json.at("dtype");
  result.tolerance = json.at("tolerance");
  result.prompts = json.at("prompts").get<std::vector<Tokens>>();
  for (const auto& types : json.at("token_types")) {
    result.token_types.push_back(types.is_null() ? Tokens() : types.get<Tokens>());
  }
  result.labels = json.at("labels").get<std::vector<std::string>>();
  if (const auto& low = json.at("low_precision"); !low.is_null()) {
    result.low_precision_hidden = low.at("hidden");
    result.low_precision_logits = low.value("logits", 0.0);
  }
  const auto matrices = read_matrices(directory / "expected.safetensors");
  for (size_t i = 0; i < result.prompts.size(); ++i) {
    result.hidden.push_back(matrices.at("hidden." + std::to_string(i)));
    const auto logits = matrices.find("logits." + std::to_string(i));
    if (logits != matrices.end()) result.logits.push_back(logits->second);
    const auto pooled = matrices.find("pooled." + std::to_string(i));
    if (pooled != matrices.end()) result.pooled.push_back(pooled->second);
    const auto pixels = matrices.find("pixels." + std::to_string(i));
    if (pixels == matrices.end()) continue;
    result.pixels.push_back(pixels->second);
    result.patches.push_back(matrices.at("patches." + std::to_string(i)));
  }
  if (result.prompts.empty() || result.token_types.size() != result.prompts.size()) {
    throw std::runtime_error(directory.string() + ": case.json: prompts and token_types do not match");
  }
  return result;
}

}  // namespace graft::conformance
