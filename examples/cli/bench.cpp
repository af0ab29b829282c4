// graft bench MODEL --prompt 512 --generate 64 --batch 1: one JSON object of load, prefill and decode.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include "answer.h"
#include "bandwidth.h"
#include "bench_rounds.h"
#include "commands.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  int64_t prompt = 512;
  int64_t generate = 64;
  int64_t batch = 1;
};

/// The first number under `key`, at whatever depth; 0 when there is none.
int64_t find_number(const Json& value, const char* key) {
  if (value.is_object()) {
    const auto found = value.find(key);
    if (found != value.end() && found->is_number()) return found->get<int64_t>();
  }
  if (!value.is_structured()) return 0;
  for (const Json& member : value) {
    if (const int64_t number = find_number(member, key); number != 0) return number;
  }
  return 0;
}

int64_t find_vocabulary(const Json& info, const Session& session) {
  int64_t size = find_number(info, "vocabulary");
  if (size == 0) size = graft_tokenizer_vocab_size(find_tokenizer(session).get());
  if (size == 0) throw Failure(GRAFT_STATUS_UNSUPPORTED, "the engine does not say how large the vocabulary is");
  return size;
}

/// Only on the CPU are the weights read through the memory that measure_read_bandwidth measures.
bool runs_on_cpu(const Json& info) {
  const std::string text = info.value("device", Json()).dump() + info.value("devices", Json()).dump();
  return text.find("cuda") == std::string::npos;
}

Json rate(double value) { return value > 0 ? Json(value) : Json(); }

int bench(const Options& options, Json& line, Json& info, const Session& session) {
  info = engine_info(session);
  const BenchShape shape{options.prompt, options.generate, options.batch, find_vocabulary(info, session)};
  std::mt19937_64 random(20240229);  // the same prompts each time
  constexpr int64_t warm_up_tokens = 4;
  run_round(session, {shape.prompt, std::min(shape.generate, warm_up_tokens), shape.batch, shape.vocabulary}, random);
  const BenchRound round = run_round(session, shape, random);
  line = {{"load_s", session.load_seconds},
          {"prefill_tokens_per_s", rate(round.prefill_tokens_per_second)},
          {"decode_tokens_per_s", rate(round.decode_tokens_per_second)},
          {"ttft_ms", round.first_token_seconds * 1e3},
          {"peak_rss_mb", static_cast<double>(peak_resident_bytes()) / 1e6}};
  return exit_ok;
}

/// Weights are read once a step, whatever the batch: steps a second are tokens a second over the batch.
void add_bandwidth(const Options& options, const Json& info, Json& line) {
  const int64_t weight_bytes = find_number(info, "weight_bytes");
  int64_t threads = options.common.threads.value_or(0);
  if (threads == 0) threads = find_number(info, "threads");
  if (threads == 0) threads = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  const double bandwidth = runs_on_cpu(info) ? measure_read_bandwidth(threads) : 0;
  const double decode = line["decode_tokens_per_s"].is_null() ? 0 : line["decode_tokens_per_s"].get<double>();
  const double steps = decode / static_cast<double>(options.batch);
  line["read_bandwidth_fraction"] = rate(bandwidth > 0 ? static_cast<double>(weight_bytes) * steps / bandwidth : 0);
  line["read_bandwidth_gb_per_s"] = rate(bandwidth / 1e9);
  line["weight_bytes"] = rate(static_cast<double>(weight_bytes));
  if (weight_bytes > 0) line["weight_bytes"] = weight_bytes;
  line["threads"] = threads;
  line["prompt"] = options.prompt;
  line["generate"] = options.generate;
  line["batch"] = options.batch;
}

}  // namespace

Action declare_bench(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("--prompt", options->prompt, "Tokens of each prompt (512)")->type_name("N");
  app.add_option("--generate", options->generate, "Tokens to generate after each prompt (64)")->type_name("N");
  app.add_option("--batch", options->batch, "Sequences at the same time (1)")->type_name("N");
  return [options] {
    const auto require = [](const char* name, int64_t value) {
      if (value < 1) throw UsageError(std::string(name) + ": found " + std::to_string(value) + ", expected 1 or more");
    };
    require("--prompt", options->prompt);
    require("--generate", options->generate);
    require("--batch", options->batch);
    options->common.max_queue = options->batch;
    options->common.max_sequences = options->batch;
    Json line, info;
    const int code =
        with_engine(options->common, [&](const Session& session) { return bench(*options, line, info, session); });
    if (line.is_null()) return code;      // a rank that follows has measured nothing
    add_bandwidth(*options, info, line);  // with the engine closed, so that its threads do not read as well
    print_json_line(line);
    return code;
  };
}

}  // namespace cli
