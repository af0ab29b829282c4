// One case of the oracle: a model directory, and what Transformers answers for it (tests/oracle/README.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/conformance/support/safetensors_reader.h"

namespace graft::conformance {

using Tokens = std::vector<int64_t>;

struct Continuation {
  Tokens tokens;
  std::vector<double> gaps;  ///< best minus second best logit of each step
};

/// The continuation of prompt `prompt` ends after `length` tokens because the next one is in `eos`.
struct StopRule {
  size_t prompt = 0;
  int64_t length = 0;
  Tokens eos;
};

struct TestCase {
  std::string name;
  std::filesystem::path directory;
  std::string dtype;  ///< of the checkpoint
  int64_t vocab_size = 0;
  int64_t context = 0;
  double tolerance = 0;            ///< of the error in float32
  double low_precision_error = 0;  ///< Transformers' own error in `dtype`; 0 for float32
  std::vector<Tokens> prompts;
  std::vector<Matrix> logits;  ///< of each prompt
  std::vector<std::optional<Continuation>> greedy;
  std::optional<StopRule> stop;
};

/// Names of the cases of decoders in a folder, or of those of encoders; sorted.
inline std::vector<std::string> case_names(const std::filesystem::path& folder, bool encoders = false) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::ifstream file(entry.path() / "case.json");
    if (!file || nlohmann::json::parse(file).value("encoder", false) != encoders) continue;
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Throws std::exception when the files are not what tests/oracle writes.
inline TestCase read_case(const std::filesystem::path& directory) {
  std::ifstream file(directory / "case.json");
  const auto json = nlohmann::json::parse(file);
  TestCase result;
  result.name = json.at("name");
  result.directory = directory;
  result.dtype = json.at("dtype");
  result.vocab_size = json.at("vocab_size");
  result.context = json.at("context");
  result.tolerance = json.at("tolerance");
  if (!json.at("low_precision").is_null()) result.low_precision_error = json.at("low_precision").at("error");
  result.prompts = json.at("prompts").get<std::vector<Tokens>>();
  for (const auto& continuation : json.at("greedy")) {
    result.greedy.emplace_back();
    if (continuation.is_null()) continue;
    result.greedy.back() = Continuation{continuation.at("tokens"), continuation.at("gaps")};
  }
  if (const auto& stop = json.at("stop"); !stop.is_null()) {
    result.stop = StopRule{stop.at("prompt"), stop.at("length"), stop.at("eos")};
  }
  const auto matrices = read_matrices(directory / "expected.safetensors");
  for (size_t i = 0; i < result.prompts.size(); ++i) {
    result.logits.push_back(matrices.at("logits." + std::to_string(i)));
  }
  if (result.prompts.empty() || result.greedy.size() != result.prompts.size()) {
    throw std::runtime_error(directory.string() + ": case.json: prompts and greedy do not match");
  }
  return result;
}

/// Largest absolute difference and largest absolute expected value over any number of prompts, in float64.
class Difference {
 public:
  /// Shapes must be equal. A value that is not finite counts as infinitely wrong.
  void add(const Matrix& result, const Matrix& expected) {
    for (size_t i = 0; i < expected.values.size(); ++i) {
      const double a = result.values[i];
      const double b = expected.values[i];
      absolute_ = std::max(absolute_, std::isfinite(a) ? std::abs(a - b) : std::numeric_limits<double>::infinity());
      scale_ = std::max(scale_, std::abs(b));
    }
  }

  /// max |a - b| over max |b|: the error that all tolerances speak of.
  double error() const { return scale_ > 0 ? absolute_ / scale_ : std::numeric_limits<double>::infinity(); }

  /// The gap of two logits below which this much error may exchange them, tenfold, in whichever unit is the stricter.
  double undecided_gap() const { return 10 * std::min(error(), absolute_); }

 private:
  double absolute_ = 0;
  double scale_ = 0;
};

}  // namespace graft::conformance
