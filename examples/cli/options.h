// The options that every command with a MODEL takes, and how they become graft_engine_options.
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

/// Parsed, not yet checked against each other. What was not given keeps the library's default.
struct CommonOptions {
  std::string model;
  std::optional<std::string> device;
  std::optional<std::string> dtype;
  std::optional<int64_t> tensor_parallel;
  std::optional<int64_t> expert_parallel;
  std::optional<std::string> injection;  ///< kernel, auto, none, or a file
  std::vector<std::string> policy_files;
  std::optional<std::string> graph;
  std::optional<int64_t> threads;
  std::optional<int64_t> group_size;
  std::optional<std::string> weights;
  std::optional<std::string> config_file;
  bool profile = false;
  bool json = false;

  // Set by commands that submit many requests at once; no options of the command line.
  std::optional<int64_t> max_queue;
  std::optional<int64_t> max_sequences;
};

/// Declares MODEL and the common options; `options` must outlive the parser.
void add_common_options(CLI::App& app, CommonOptions& options);

/// Throws UsageError for combinations that cannot be meant; reads no file.
void validate(const CommonOptions& options);

/// Engine options from the DeepSpeed config, then the flags (which win), then the launcher's environment (ranks.h).
/// Throws UsageError or Failure.
EngineOptions make_engine_options(const CommonOptions& options);

/// Reads a whole file; Failure (NOT_FOUND or IO_ERROR) naming the option and the path.
std::string read_option_file(const std::string& option, const std::string& path);

}  // namespace cli
