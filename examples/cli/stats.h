// What an answer cost: the line under it, and the same as JSON.
#pragma once

#include <string>

#include "answer.h"

namespace cli {

/// {"tokens", "tokens_per_s", "ttft_ms", "load_s", "peak_rss_mb"}
Json measure(const Answer& answer, const Session& session);

/// One line with a newline at its end.
std::string format_stats(const Json& stats);

}  // namespace cli
