// graft run MODEL [PROMPT]: streams a completion of a text.
#include <CLI/CLI.hpp>
#include <memory>

#include "answer.h"
#include "commands.h"
#include "prompt.h"
#include "ranks.h"
#include "sampling.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  SamplingOptions sampling;
  std::optional<std::string> prompt;
  bool chat = false;
  bool stats = false;
};

Input make_text_input(const std::string& prompt, bool chat) {
  Input input = make<Input>(graft_input_new);
  if (!chat) {
    check(graft_input_set_text(input.get(), prompt.data(), static_cast<int64_t>(prompt.size())));
    return input;
  }
  try {
    const std::string messages = Json::array({{{"role", "user"}, {"content", prompt}}}).dump();
    check(graft_input_set_chat(input.get(), messages.data(), static_cast<int64_t>(messages.size())));
  } catch (const Json::exception&) {
    throw Failure(GRAFT_STATUS_INVALID_ARGUMENT, "the prompt is not valid UTF-8");
  }
  return input;
}

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

int run(const Options& options, const std::string& prompt, const Session& session) {
  Batch batch;
  batch.submit(session, make_text_input(prompt, options.chat), make_request_options(options.sampling));
  const bool json = options.common.json;
  const Answer answer = batch.pull(0, [&](const graft_event* event) {
    int64_t size = 0;
    const char* text = graft_event_text(event, &size);
    if (json || size == 0) return;
    std::fwrite(text, 1, static_cast<size_t>(size), stdout);
    std::fflush(stdout);
  });
  const Json stats = measure(answer, session);
  if (json) {
    Json line = to_json(answer, true);
    if (options.stats) line["stats"] = stats;
    print_json_line(line);
  } else {
    std::puts("");
    if (options.stats) std::fputs(format_stats(stats).c_str(), stdout);
  }
  std::fflush(stdout);
  std::fputs(format_stats(stats).c_str(), stderr);
  return answer_exit_code();
}

}  // namespace

Action declare_run(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("PROMPT", options->prompt, "Text to complete; absent: stdin, without its last newline")->type_name("");
  app.add_flag("--chat", options->chat, "Apply the model's chat template to the prompt");
  app.add_flag("--stats", options->stats, "Print tokens, speed, times and memory on stdout too");
  add_sampling_options(app, options->sampling);
  return [options] {
    make_request_options(options->sampling);  // refuses bad values before the model is loaded
    validate(options->common);
    // Only rank 0 may read stdin: the launcher gives it to one process, or to none.
    const std::string prompt = launched_ranks().follows() ? std::string() : read_prompt(options->prompt);
    return with_engine(options->common, [&](const Session& session) { return run(*options, prompt, session); });
  };
}

}  // namespace cli
