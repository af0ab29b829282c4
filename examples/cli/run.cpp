// graft run MODEL [PROMPT]: streams a completion of a text.
#include <CLI/CLI.hpp>
#include <memory>

#include "answer.h"
#include "commands.h"
#include "progress.h"
#include "prompt.h"
#include "ranks.h"
#include "sampling.h"
#include "stats.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  SamplingOptions sampling;
  std::optional<std::string> prompt;
  bool chat = false;
  bool stats = false;
};

Input make_input(const std::string& prompt, bool chat) {
  return chat ? make_chat_input(Json::array({{{"role", "user"}, {"content", prompt}}})) : make_text_input(prompt);
}

int run(const Options& options, const std::string& prompt, const Session& session) {
  Batch batch;
  batch.submit(session, make_input(prompt, options.chat), make_request_options(options.sampling));
  const bool json = options.common.json;
  ProgressBar bar(true);
  const Answer answer = batch.pull(0, [&](const graft_event* event) {
    show_prompt_progress(bar, event);
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
