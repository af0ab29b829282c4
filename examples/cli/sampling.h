// The options that say how tokens are chosen, and how they become graft_request_options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handles.h"

namespace CLI {
class App;
}

namespace cli {

/// What was not given keeps the library's default.
struct SamplingOptions {
  std::optional<int64_t> max_tokens;
  bool greedy = false;
  std::optional<double> temperature;
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<double> repetition_penalty;
  std::optional<int64_t> num_beams;
  std::optional<int64_t> seed;
  std::vector<std::string> stop;
  bool ignore_eos = false;
};

/// Declares them; `options` must outlive the parser.
void add_sampling_options(CLI::App& app, SamplingOptions& options);

/// Request options of kind generate; UsageError names the option whose value the library refuses.
RequestOptions make_request_options(const SamplingOptions& options);

}  // namespace cli
