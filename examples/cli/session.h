// An opened engine, used and closed in order, on whichever rank this process is.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "options.h"

namespace cli {

struct Session {
  graft_engine* engine = nullptr;
  double load_seconds = 0;
};

/// Opens the model, has `work` use it, prints the profile if asked to, closes the engine, and returns work's exit code.
/// On ranks above 0 `work` is not called: they follow rank 0 until it closes. Throws Failure or Interrupted.
int with_engine(const CommonOptions& options, const std::function<int(const Session&)>& work);

/// What the engine says about itself; Failure if it is no JSON object.
nlohmann::ordered_json engine_info(const Session& session);

/// Null when the model has none (or none that can be run).
Tokenizer find_tokenizer(const Session& session);

}  // namespace cli
