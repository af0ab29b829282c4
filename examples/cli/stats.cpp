#include "stats.h"

#include <cstdio>

namespace cli {

Json measure(const Answer& answer, const Session& session) {
  return {{"tokens", answer.tokens.size()},
          {"tokens_per_s", answer.tokens_per_second()},
          {"ttft_ms", answer.first_token_seconds() * 1e3},
          {"load_s", session.load_seconds},
          {"peak_rss_mb", static_cast<double>(peak_resident_bytes()) / 1e6}};
}

std::string format_stats(const Json& stats) {
  char line[200];
  std::snprintf(line, sizeof line,
                "%lld tokens, %.1f tokens/s, time to first token %.0f ms, load %.2f s, peak RSS %.0f MB\n",
                stats["tokens"].get<long long>(), stats["tokens_per_s"].get<double>(), stats["ttft_ms"].get<double>(),
                stats["load_s"].get<double>(), stats["peak_rss_mb"].get<double>());
  return line;
}

}  // namespace cli
